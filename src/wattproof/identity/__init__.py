"""Who is who: parties and their roles, devices and their life, and the keys that sign for both."""
