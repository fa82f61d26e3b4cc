"""A job that RQ's worker imports (other_processes.py)."""

from loud_app import app

from notiway import send_notification


def ship(user_id: str) -> None:
    """Send a notification."""
    with app.app_context():
        send_notification(user_id, "From RQ")
