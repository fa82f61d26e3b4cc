// When the dashboard page mounts
await connection.invoke("Subscribe", {
audienceType: 3,
audienceValue: "dashboard-ops"
});
// Handle incoming updates
connection.on("dashboard-update", (notification) => {
const { metric, value, timestamp } = notification.body;
updateChart(metric, value, timestamp);
});
