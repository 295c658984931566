"""Views: records in; tables, leaderboards and figures out. No torch; matplotlib only for figures."""
