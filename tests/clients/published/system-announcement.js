connection.on("system-announcement", (notification) => {
const { title, message, severity, actionUrl } = notification.body;
showAnnouncementBanner({
title,
message,
severity, // "info" | "warning" | "critical"
actionUrl,
onDismiss: () => {
connection.invoke("MarkAsRead", notification.audienceId, notification.id);
}
});
});
