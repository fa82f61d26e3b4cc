"""WSGI entry: `gunicorn app:app`, `flask --app app run`."""

from notiway.host.app import create_app

app = create_app()
