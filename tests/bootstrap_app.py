"""The host application with a layout of Bootstrap's, and an item with a link of its own."""

from clients.driver import install
from flask import Response, render_template, request, send_file
from flask_login import current_user, login_required
from jinja2 import ChoiceLoader, DictLoader

from notiway import send_notification
from notiway.host.app import create_app

SHEET = "bootstrap/dist/css/bootstrap.min.css"
# What the two pages share, with Bootstrap and without: neither its body nor its columns are Notiway's business.
OWN = """html body { margin: 0; font: 16px/1.5 sans-serif; color: #212529; background: #fff; text-size-adjust: 100%;
  -webkit-tap-highlight-color: transparent }
.shop { box-sizing: border-box; max-width: 60rem; margin: 0 auto; padding: 1rem }"""
# A rule that says one class or two; and one for links, which is not meant for Notiway's.
CUSTOM = """.shop-bar a { color: rgb(0, 128, 0); padding: 30px }
.shop-bar li { float: left }
.notiway .notiway-item__title { font-size: 22px; color: rgb(200, 0, 0); text-decoration: underline }
.notiway .notiway-button { padding: 1px; border-radius: 0; background: rgb(1, 2, 3) }
.notiway .notiway-item__message { margin: 7px }
.shop-badge { padding: 5px; color: rgb(4, 5, 6) }"""
BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="csrf-token" content="{{ csrf_token() }}">
<link rel="icon" href="/static/host/icon.svg"><title>{% block title %}Shop{% endblock %}</title>
<link rel="stylesheet" href="/shop/bootstrap.css"><link rel="stylesheet" href="/shop/own.css">
{% if request.args.custom %}<link rel="stylesheet" href="/shop/custom.css">{% endif %}
</head>
<body>
{{ notiway.announcements() }}
<nav class="navbar navbar-expand bg-body-tertiary shop-bar"><div class="container-fluid">
<a class="navbar-brand" href="/shop">Bookshop</a><span class="ms-auto">{{ notiway.bell() }}</span></div></nav>
<main class="shop">{% block content %}{{ notiway.tasks("import-progress") }}{% endblock %}</main>
</body>
</html>"""
LINK = '<a class="shop-badge" href="/shop?van=blue">Track with Blue Van</a>'

app = create_app({"NOTIWAY_BASE_TEMPLATE": "shop.html"})
app.jinja_env.globals["notiway"].tab("Books", category="books")
item = app.jinja_env.loader.get_source(app.jinja_env, "notiway/item/_item.html")[0]
MARK = '<p class="notiway-item__meta">'
templates = {"shop.html": BASE, "notiway/item/_item.html": item.replace(MARK, f"<p>{LINK}</p>{MARK}")}
app.jinja_loader = ChoiceLoader([DictLoader(templates), app.jinja_loader])
app.add_url_rule("/shop", "shop", login_required(lambda: render_template("shop.html")))
app.add_url_rule("/shop/bootstrap.css", "shop_bootstrap", lambda: send_file(install() / SHEET))


@app.get("/shop/send")
@login_required
def send():
    """A notification to oneself, with its category."""
    send_notification(current_user.id, request.args["title"], category=request.args["category"])
    return "sent"


for name, text in (("own", OWN), ("custom", CUSTOM)):
    app.add_url_rule(f"/shop/{name}.css", f"shop_{name}", lambda text=text: Response(text, mimetype="text/css"))
