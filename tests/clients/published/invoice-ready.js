const notifications = [];
// Collect notifications (both live and replayed on connect)
connection.on("invoice-ready", (notification) => {
notifications.push(notification);
updateNotificationBadge(notifications.length);
});
// Mark as read when user opens the notification
async function onNotificationClick(notification) {
await connection.invoke("MarkAsRead", notification.audienceId, notification.id);
}
// Mark as deleted when user dismisses
async function onNotificationDismiss(notification) {
await connection.invoke("MarkAsDeleted", notification.audienceId, notification.id);
}
// Keep all devices in sync
connection.on("EventReadStatusChange", (change) => {
updateNotificationStatus(change.eventId, { isRead: change.isRead });
});
connection.on("EventDeletedStatusChange", (change) => {
updateNotificationStatus(change.eventId, { isDeleted: change.isDeleted });
});
