"""The words that name a scene in a caption."""

from __future__ import annotations

KIND_NOUNS: dict[str, tuple[str, str]] = {
    "planet": ("planet", "planets"),
    "cat": ("big cat", "big cats"),
    "bird": ("bird", "birds"),
    "snake": ("snake", "snakes"),
    "fish": ("fish", "fish"),
    "car": ("car", "cars"),
    "ship": ("ship", "ships"),
    "plane": ("plane", "planes"),
    "rocket": ("rocket", "rockets"),
    "city": ("city skyline", "city skylines"),
    "map": ("country map", "country maps"),
    "river": ("river", "rivers"),
    "mountain": ("mountain", "mountains"),
    "portrait": ("portrait", "portraits"),
    "guitar": ("guitar", "guitars"),
    "clapper": ("film clapper", "film clappers"),
    "ball": ("football", "footballs"),
    "book": ("book", "books"),
    "fruit": ("fruit", "fruits"),
    "cup": ("cup of coffee", "cups of coffee"),
    "flask": ("flask", "flasks"),
    "temple": ("temple", "temples"),
    "screen": ("computer screen", "computer screens"),
    "building": ("building", "buildings"),
}
BACKGROUND_PHRASES: dict[str, tuple[str, ...]] = {
    "plain": ("on a plain background", "with nothing behind"),
    "sky": ("in a clear sky", "in the sunshine"),
    "clouds": ("under clouds", "among white clouds"),
    "grass": ("on grass", "in a green field"),
    "sand": ("on sand", "in the desert"),
    "night": ("at night", "under the stars"),
    "sea": ("at sea", "by the water"),
    "paper": ("on ruled paper", "on a page of paper"),
}
