"""Files as devices and data sets write them, with the faults that real ones have."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime, timedelta

from dtledger.importers import Import, read_file

CLARITY_HEADINGS = (
    "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Event Subtype,Patient Info,Device Info,Source Device ID,"
    "Glucose Value ({unit}),Insulin Value (u),Carb Value (grams),Duration (hh:mm:ss),"
    "Glucose Rate of Change ({unit}/min),Transmitter Time (Long Integer),Transmitter ID"
)


def read(text: str | bytes, source_format: str = "auto", **options: object) -> Import:
    data = text.encode() if isinstance(text, str) else text
    return read_file(io.BytesIO(data), source_format, **options)  # type: ignore[arg-type]


def times(start: str, count: int, minutes: int = 5, form: str = "%Y-%m-%dT%H:%M:%S") -> list[str]:
    """Wall-clock times, one every `minutes`."""
    first = datetime.fromisoformat(start)
    return [(first + timedelta(minutes=minutes * step)).strftime(form) for step in range(count)]


def csv(headings: str, rows: Iterable[tuple[object, ...]], *, end: str = "\n") -> str:
    return end.join([headings, *(",".join(map(str, row)) for row in rows), ""])


def clarity(
    events: Iterable[tuple[str, str, str]], *, unit: str = "mg/dL", quoted: bool = False, end: str = "\r\n"
) -> str:
    """A Clarity export of a made-up patient: rows without time first, then `events` (time, type, value)."""
    preamble = [
        *(f",{kind},,{info},,,,,,,," for kind, info in (("FirstName", "Ada"), ("LastName", "Lovelace"))),
        ",DateOfBirth,,1815-12-10,,,,,,,,",
        ",Device,,,Dexcom G7 Mobile App,iOS G7,,,,,,",
        ",Alert,High,,Dexcom G7 Mobile App,iOS G7,200,,,,,",
        ",Alert,Low,,Dexcom G7 Mobile App,iOS G7,70,,,,,",
    ]
    rows = list(preamble)
    for time, kind, value in events:
        subtype = value if value in {"Low", "High"} else ""
        if kind in {"EGV", "Calibration"}:
            rows.append(f"{time},{kind},{subtype},,,iOS G7,{value},,,,0.4,4237574,8AM1EY")
        else:
            rows.append(f"{time},{kind},{subtype},,,iOS G7,,{value},,,,")
    lines = [CLARITY_HEADINGS.format(unit=unit), *(f"{index},{row}" for index, row in enumerate(rows, start=1))]
    if quoted:
        lines = [",".join(f'"{cell}"' for cell in line.split(",")) for line in lines]
    return end.join([*lines, ""])


def study_like(
    *, days: int = 3, start: str = "2023-10-27T00:04", value: float = 7.5, end: str = "\r\n", mark: str = "\ufeff"
) -> str:
    """A study's glucose file: a byte-order mark, headings without a unit, days before months, no seconds, a gap of a
    night, repeats with the same and with another value, the sensor's floor said as a word, a value that none can be."""
    rows: list[tuple[str, str]] = []
    for step, time in enumerate(times(start, days * 288, form="%d/%m/%Y %H:%M")):
        if 300 <= step < 372:
            continue
        rows.append((time, f"{value + (step % 7) / 10:.1f}"))
        if step % 50 == 0:
            rows.append(rows[-1])
        if step % 90 == 0:
            rows.append((time, "15.2"))
    rows[20] = (rows[20][0], "Low")
    rows[21] = (rows[21][0], "0.1")
    return mark + csv("bg_ts,value", rows, end=end)


LIBREVIEW_HEADINGS = {
    "en": (
        "Device,Serial Number,Device Timestamp,Record Type,Historic Glucose {unit},Scan Glucose {unit},"
        "Non-numeric Rapid-Acting Insulin,Rapid-Acting Insulin (units),Non-numeric Food,Carbohydrates (grams),"
        "Carbohydrates (servings),Non-numeric Long-Acting Insulin,Long-Acting Insulin (units),Notes,"
        "Strip Glucose {unit},Ketone mmol/L,Meal Insulin (units),Correction Insulin (units),"
        "User Change Insulin (units)"
    ),
    "de": (
        "Gerät,Seriennummer,Gerätezeitstempel,Aufzeichnungstyp,Glukosewert-Verlauf {unit},Glukose-Scan {unit},"
        "Nicht numerisches schnellwirkendes Insulin,Schnellwirkendes Insulin (Einheiten),"
        "Nicht numerische Nahrungsdaten,Kohlenhydrate (Gramm),Kohlenhydrate (Portionen),"
        "Nicht numerisches Depotinsulin,Depotinsulin (Einheiten),Notizen,Glukose-Teststreifen {unit},Keton mmol/L,"
        "Mahlzeiteninsulin (Einheiten),Korrekturinsulin (Einheiten),Insulin-Änderung durch Anwender (Einheiten)"
    ),
    "es": (
        "Dispositivo,Número de serial,Sello de tiempo del dispositivo,Tipo de registro,Historial de glucosa {unit},"
        "Escaneo de glucosa {unit},,,,,,,,,Tira reactiva para glucosa {unit},,,,"
    ),
    "nl": (
        "Apparaat,Serienummer,Tijdstempel apparaat,Gegevenstype,Historische glucose {unit},Scan Glucose {unit},"
        "Niet-numerieke snelwerkende insuline,Snelwerkende insuline (eenheden),Niet-numeriek voedsel,"
        "Koolhydraten (gram),Koolhydraten (porties),Niet-numerieke langwerkende insuline,"
        "Langwerkende insuline (eenheden),Notities,Strip Glucose {unit},Keton mmol/L,Maaltijdinsuline (eenheden),"
        "Correctie insuline (eenheden),Wijzigen insuline gebruiker (eenheden)"
    ),
}
LIBREVIEW_PLACES = {"historic": 4, "scan": 5, "rapid": 7, "carbs": 9, "long": 12, "note": 13, "strip": 14, "ketone": 15}
_LIBREVIEW_TYPES = {"historic": 0, "scan": 1, "strip": 2, "ketone": 3, "rapid": 4, "long": 4, "carbs": 5, "note": 6}


def libreview(
    records: Iterable[tuple[str, str, object]],
    *,
    unit: str = "mg/dL",
    language: str = "en",
    preamble: Iterable[str] = ("Glucose Data,Generated on,02-12-2026 09:00 UTC,Generated by,Ada Lovelace",),
    serial: str = "1D48A10E-DDFB-4888-8158-026F08814832",
    end: str = "\r\n",
) -> str:
    """A LibreView export of a made-up patient, from records (time, column, value)."""
    lines = [*preamble, LIBREVIEW_HEADINGS[language].format(unit=unit)]
    for time, column, value in records:
        cells = ["FreeStyle LibreLink", serial, time, str(_LIBREVIEW_TYPES[column]), *[""] * 15]
        cells[LIBREVIEW_PLACES[column]] = str(value)
        lines.append(",".join(cells))
    return end.join([*lines, ""])


SHANGHAI_HEADINGS = (
    *("Date", "CGM (mg / dl)", "CBG (mg / dl)", "Blood Ketone (mmol / L)", "Dietary intake", "饮食"),
    *("Insulin dose - s.c.", "Non-insulin hypoglycemic agents", "CSII - bolus insulin (Novolin R, IU)"),
    *("CSII - basal insulin (Novolin R, IU / H)", "Insulin dose - i.v."),
)


def shanghai(start: str = "2021-07-30T16:43", count: int = 40) -> list[list[object]]:
    """A segment as ShanghaiT1DM has it: headings, a row each quarter of an hour, and an empty row at the end."""
    rows: list[list[object]] = [list(SHANGHAI_HEADINGS)]
    for step, time in enumerate(times(start, count, 15)):
        row: list[object] = [datetime.fromisoformat(time), (35 + step % 9) * 1.8, *[None] * 9]
        if step % 10 == 3:
            row[1] = 39.6
        if step % 8 == 0:
            row[2] = 108.0
            row[4] = "Egg 69 g\nCoarse grain 123 g"
        if step == 5:
            row[8] = 4
        if step in {6, 7}:
            row[9] = [0.7, "temporarily suspend insulin delivery"][step - 6]
        rows.append(row)
    return [*rows, [None] * 11]
