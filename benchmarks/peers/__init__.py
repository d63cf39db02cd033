"""What Watchword's users could pick instead, each started as its own documentation says; and what one would write."""
