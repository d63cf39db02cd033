"""A moment in JavaScript's form: `Fri Nov 27 2020 16:47:05 GMT-0800 (Pacific Standard Time)`."""

from __future__ import annotations

from datetime import datetime, timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# One abbreviation may mean several zones, which the offset from UTC (in minutes) tells apart.
_LONG_NAMES = {
    ("UTC", 0): "Coordinated Universal Time",
    ("GMT", 0): "Greenwich Mean Time",
    ("BST", 60): "British Summer Time",
    ("IST", 60): "Irish Standard Time",
    ("WET", 0): "Western European Standard Time",
    ("WEST", 60): "Western European Summer Time",
    ("CET", 60): "Central European Standard Time",
    ("CEST", 120): "Central European Summer Time",
    ("EET", 120): "Eastern European Standard Time",
    ("EEST", 180): "Eastern European Summer Time",
    ("MSK", 180): "Moscow Standard Time",
    ("IST", 330): "India Standard Time",
    ("CST", 480): "China Standard Time",
    ("HKT", 480): "Hong Kong Standard Time",
    ("JST", 540): "Japan Standard Time",
    ("KST", 540): "Korean Standard Time",
    ("AWST", 480): "Australian Western Standard Time",
    ("ACST", 570): "Australian Central Standard Time",
    ("ACDT", 630): "Australian Central Daylight Time",
    ("AEST", 600): "Australian Eastern Standard Time",
    ("AEDT", 660): "Australian Eastern Daylight Time",
    ("NZST", 720): "New Zealand Standard Time",
    ("NZDT", 780): "New Zealand Daylight Time",
    ("NST", -210): "Newfoundland Standard Time",
    ("NDT", -150): "Newfoundland Daylight Time",
    ("AST", -240): "Atlantic Standard Time",
    ("ADT", -180): "Atlantic Daylight Time",
    ("EST", -300): "Eastern Standard Time",
    ("EDT", -240): "Eastern Daylight Time",
    ("CST", -360): "Central Standard Time",
    ("CDT", -300): "Central Daylight Time",
    ("MST", -420): "Mountain Standard Time",
    ("MDT", -360): "Mountain Daylight Time",
    ("PST", -480): "Pacific Standard Time",
    ("PDT", -420): "Pacific Daylight Time",
    ("AKST", -540): "Alaska Standard Time",
    ("AKDT", -480): "Alaska Daylight Time",
    ("HST", -600): "Hawaii-Aleutian Standard Time",
}


def format_javascript_date(moment: datetime) -> str:
    """Tells the time in the datetime's zone, by its long name where it is known, else by its abbreviation.

    Windows knows zones by their long names only, and says them itself. The words are English in every locale.
    """
    offset = (moment.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    hours, minutes = divmod(abs(offset), 60)
    zone = moment.tzname() or ""
    return (
        f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day:02} {moment.year:04} "
        f"{moment:%H:%M:%S} GMT{'-' if offset < 0 else '+'}{hours:02}{minutes:02} "
        f"({_LONG_NAMES.get((zone, offset), zone)})"
    )
