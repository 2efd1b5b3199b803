"""``make catalogs``: extract the texts, update the catalogs, tell what is to be translated."""

from bot.catalogs import SOURCE
from bot.catalogs.upkeep import LOCALE, untranslated, update

for path, catalog in update():
    language = path.relative_to(LOCALE).parts[0]
    missing = [] if language == SOURCE else untranslated(catalog)
    print(f"{path.relative_to(LOCALE)}: {len(catalog)} texts, {len(missing)} to be translated")  # noqa: T201
    for text in missing:
        print(f"    {text}")  # noqa: T201
