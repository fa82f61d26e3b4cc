// When the user leaves the dashboard page
await connection.invoke("Unsubscribe", {
audienceType: 3,
audienceValue: "dashboard-ops"
});
