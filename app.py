"""WSGI entry: `gunicorn app:app`, `flask --app app run`."""

from notiway.app import create_app

app = create_app()
