"""The Celery driver and nothing else: it starts jobs of the timetable. What they do stands in seminars."""
