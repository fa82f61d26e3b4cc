// Register handler for progress updates
connection.on("import-progress", (notification) => {
const { taskId, progress, status, message } = notification.body;
updateProgressBar(taskId, progress);
updateStatusText(taskId, message);
if (status === "completed") {
showCompletionMessage(taskId);
}
});
// Start the task
const response = await fetch("/api/imports", { method: "POST", body: data });
const { taskId } = await response.json();
showProgressBar(taskId);
