"""The download process of the Yahoo source. It imports nothing else of this project, so that it starts quickly."""
