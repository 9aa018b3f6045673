"""Units of measure, English and Chinese, as dimension and factor: 90 minutes and 1.5 hours are the same length of time. Data only."""

from __future__ import annotations

import re
from fractions import Fraction

# dimension: "names of one unit=factor"; a factor is in the dimension's first unit
_TABLE = {
    "time": "s sec secs second seconds 秒 秒钟=1; ms millisecond milliseconds 毫秒=1/1000; min mins minute minutes 分钟 分鐘=60;"
    " h hr hrs hour hours 小时 小時 个小时 個小時 个钟头=3600; day days 天 日=86400; week weeks 周 星期 个星期 個星期 礼拜 周时间=604800",
    "months": "month months 个月 個月 月份=1; year years yr yrs 年 岁 歲=12; decade decades=120; century centuries 世纪 世紀=1200",
    "length": "m metre meter metres meters 米 公尺=1; km kilometre kilometer kilometres kilometers 公里 千米=1000; cm centimetre centimeter"
    " centimetres centimeters 厘米 公分=1/100; mm millimetre millimeter millimetres millimeters 毫米=1/1000; mi mile miles 英里=1609344/1000;"
    " ft foot feet 英尺=3048/10000; inch inches 英寸=254/10000; yard yards yd 码=9144/10000; nm nanometre nanometer nanometres nanometers 纳米=1/1000000000",
    "mass": "g gram grams 克=1; kg kilogram kilograms kilo kilos 公斤 千克=1000; mg milligram milligrams 毫克=1/1000; t ton tons tonne tonnes 吨 噸=1000000;"
    " lb lbs pound pounds 磅=45359237/100000; oz ounce ounces 盎司=28349523125/1000000000; 斤=500",
    "area": "km² km2 平方公里 平方千米=1000000; m² m2 平方米=1; ha hectare hectares 公顷 公頃=10000; acre acres 英亩=40468564224/10000000; 亩=2000/3;"
    " 平方英里 mi²=2589988110336/1000000",
    "volume": "l litre liter litres liters 升 公升=1; ml millilitre milliliter millilitres milliliters 毫升=1/1000; m³ m3 立方米=1000; gallon gallons 加仑=3785411784/1000000000",
    "bytes": "byte bytes 字节=1; kb kilobyte kilobytes=1000; mb megabyte megabytes=1000000; gb gigabyte gigabytes=1000000000; tb terabyte terabytes=1000000000000;"
    " kib=1024; mib=1048576; gib=1073741824; bit bits 比特=1/8",
    "share": "% percent per-cent percentage-points percentage-point 个百分点 個百分點 ％=1; ‰=1/10",
    "temperature": "°c ℃ degrees-celsius 摄氏度 攝氏度=1; °f ℉ degrees-fahrenheit 华氏度=5/9",
    "angle": "° degree degrees 度=1",
    "power": "w watt watts 瓦=1; kw kilowatt kilowatts 千瓦=1000; mw megawatt megawatts 兆瓦=1000000; gw gigawatt gigawatts=1000000000; hp horsepower 马力=746",
    "energy": "wh=1; kwh 千瓦时 度电=1000; mwh 兆瓦时=1000000; j joule joules 焦耳=1/3600; kj=1000/3600; cal calorie calories 卡路里=4184/3600000; kcal 千卡=4184/3600",
    "voltage": "v volt volts 伏 伏特=1; kv 千伏=1000; mv=1/1000",
    "frequency": "hz hertz 赫兹=1; khz 千赫=1000; mhz 兆赫=1000000; ghz=1000000000",
    "pressure": "bar 巴=100000; pa 帕=1; kpa 千帕=1000; mpa 兆帕=1000000; psi=6894757/1000",
    "speed": "km/h kph 公里/小时=1; mph=1609344/1000000; m/s 米/秒=36/10",
    "USD": "$ us$ usd dollar dollars 美元 美金=1; cent cents=1/100",
    "EUR": "€ eur euro euros 欧元 歐元=1",
    "GBP": "£ gbp 英镑 英鎊=1",
    "CNY": "¥ rmb cny yuan 元 人民币 块 块钱=1; 角=1/10",
    "JPY": "jpy yen 日元 日圆=1",
    "HKD": "hk$ hkd 港元 港币 港幣=1",
    "token": "token tokens=1",
}
UNITS: dict[str, tuple[str, Fraction]] = {
    name: (dimension, Fraction(factor))
    for dimension, row in _TABLE.items()
    for names, factor in (part.rsplit("=", 1) for part in row.split(";"))
    for name in names.split()
}


_ZEROS = {("temperature", Fraction(5, 9)): Fraction(-160, 9)}
"""Where the zero of a scale lies on the scale of its dimension's first unit, if not at its zero: 0 °F are -17.8 °C."""


def measured(value: Fraction, unit: tuple[str, Fraction]) -> Fraction:
    """A quantity in the first unit of its dimension: 212 °F are 100, as °C are."""
    return value * unit[1] + _ZEROS.get(unit, 0)


def _pattern() -> str:
    latin = sorted(
        (re.escape(name) for name in UNITS if name[0].isascii() and name[0].isalpha()), key=len, reverse=True
    )
    other = sorted(
        (re.escape(name) for name in UNITS if not (name[0].isascii() and name[0].isalpha())), key=len, reverse=True
    )
    words = "|".join(latin).replace(r"per\-cent", r"per\s?cent").replace(r"\-", r"[\s-]")
    return rf"(?:\s*(?:{'|'.join(other)})|[\s-]?(?:{words})(?![a-z]))"


UNIT = _pattern()
"""A pattern of any unit behind a number of a folded text."""
CURRENCY_BEFORE = r"(?:us\$|hk\$|[$€£¥]|\busd\s?|\beur\s?|\brmb\s?)"


def unit_of(written: str) -> tuple[str, Fraction] | None:
    """Dimension and factor of a unit as written in a folded text; None when it is none."""
    name = written.strip().lstrip("-").strip()
    return UNITS.get(name) or UNITS.get(re.sub(r"[\s-]+", "-", name)) or UNITS.get(name.replace("per cent", "percent"))
