"""The way in of pushes: outbox, delivery, dead letters."""
