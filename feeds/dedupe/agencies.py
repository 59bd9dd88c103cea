"""News agencies by the names under which they are credited. Pure data.

A name here is believed wherever it stands as a credit; short ones ("AP", "PA") only as whole names.
"""

from __future__ import annotations

_NAMES = {
    "AAP": "australian associated press",
    "AFP": "agence france presse",
    "ANI": "asian news international",
    "ANP": "",
    "ANSA": "",
    "APA": "austria presse agentur",
    "APP": "associated press of pakistan",
    "Anadolu Agency": "aa; anadolu; anadolu ajansi",
    "Antara": "",
    "Associated Press": "ap; the associated press; ap news",
    "BBC News": "",
    "Belga": "",
    "Bernama": "",
    "Bloomberg": "bloomberg news",
    "CTK": "",
    "EFE": "agencia efe",
    "IANS": "indo asian news service",
    "IRNA": "",
    "Interfax": "",
    "KNA": "",
    "Keystone-SDA": "sda; keystone sda",
    "Kyodo": "kyodo news",
    "Lusa": "",
    "MTI": "",
    "NTB": "",
    "PA Media": "pa; press association; the press association",
    "PAP": "",
    "PTI": "press trust of india",
    "RFE/RL": "radio free europe radio liberty",
    "RIA Novosti": "",
    "Reuters": "thomson reuters; reuters news",
    "Ritzau": "",
    "SID": "",
    "SPA": "saudi press agency",
    "STT": "",
    "TASS": "itar tass",
    "TT": "",
    "The Canadian Press": "canadian press; cp",
    "The Conversation": "",
    "UNI": "united news of india",
    "UPI": "united press international",
    "WAM": "emirates news agency",
    "Xinhua": "xinhua news agency",
    "Yonhap": "yonhap news agency",
    "dpa": "deutsche presse agentur",
    "epd": "",
}

AGENCIES = {
    alias: name
    for name, others in _NAMES.items()
    for alias in (name.lower().replace("/", " ").replace("-", " "), *filter(None, others.split("; ")))
}
"""Folded words → the name to show."""
