"""Clients that nobody here wrote, and what drives them: @microsoft/signalr, eventsource, signalrcore."""
