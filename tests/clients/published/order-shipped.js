connection.on("order-shipped", (notification) => {
showToast(notification.body.message);
});
