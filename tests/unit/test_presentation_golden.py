"""What people read, word for word, in both languages; the HTML says the same (``test_presentation``)."""

import pytest

from bot.domain.errors import OpenTasks, TakenBy
from bot.domain.words import OpenTask, Status
from bot.services.views import Person
from tests.unit.test_presentation import BERLIN, RENDERER, card, everything

GOLDEN = {
    "de": {
        "alert comparison": (
            "Laptop, zeigt dein Client dasselbe?\n"
            "\n"
            "🐶 Hund\n"
            "🐱 Katze\n"
            "🦁 Löwe\n"
            "🐎 Pferd\n"
            "🦄 Einhorn\n"
            "🐷 Schwein\n"
            "📌 Stecknadel\n"
            "\n"
            "Tippe ✅ nur, wenn alles gleich ist, auch die Reihenfolge, sonst ❌, bis 14:05.\n"
            "Das kam über den Homeserver, wie alles hier: Wer ihn in der Hand hat, könnte dir zeigen, was er "
            "will. Um sicher zu sein, vergleiche mit dem, was tickettruhe verify auf dem Rechner zeigt, auf "
            "dem ich laufe."
        ),
        "card in_progress": (
            "🔵 #1042 · Laptop\n"
            "In Bearbeitung · Spendenanfrage · Freiburg · Anna · 23.11., 14:05\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort\n"
            "> Laptop"
        ),
        "card waiting": (
            "⏳ #1042 · Laptop\n"
            "Warteliste · Spendenanfrage · Freiburg · 23.11., 14:05\n"
            "Wartet seit 11.11.2026\n"
            "Gebraucht wird: Laptop\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort · zusammengeführt mit #11\n"
            "Auch von dieser Person: #41 (Geschlossen), #37 (Warteliste)\n"
            "Geht es um dasselbe? !merge 1042 37 führt sie zusammen.\n"
            "> Laptop"
        ),
        "card closed": (
            "✅ #1042 · Laptop\n"
            "Geschlossen · Spendenanfrage · Freiburg · 23.11., 14:05\n"
            "Grund: Laptop\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort · aufgegangen in #9\n"
            "> Laptop"
        ),
        "card spam": (
            "🚫 #1042 · Laptop\n"
            "Spam · Spendenanfrage · Freiburg · 23.11., 14:05\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort\n"
            "> Laptop"
        ),
        "answer list": (
            "Offene Tickets (1 von mehr als 1.000)\n"
            "• ⏳ #1 · Laptop · Freiburg · Gebraucht wird: Laptop · seit 12 Tagen\n"
            "\n"
            "▶️ oder !more: die nächsten"
        ),
        "answer mine": ("Deine Tickets (1)\n• 🔵 #1 · Laptop · zuletzt 14.11."),
        "answer waitlist": (
            "Warteliste (11 von 11)\n11. #1 · Laptop · Gebraucht wird: Laptop · seit 12 Tagen (11.11.)"
        ),
        "answer filtered": (
            "Offene Tickets · Spendenanfrage · seit mindestens 14 Tagen unverändert (1)\n"
            "• ⏳ #1 · Laptop · Gebraucht wird: Laptop · zuletzt 14.11."
        ),
        "answer all": ("Alle Tickets, die neuesten zuerst (1)\n• ✅ #1 · Laptop · zuletzt 14.11."),
        "answer empty filtered": ("Warteliste · Laptop · seit mindestens 1 Tag: Da ist gerade nichts."),
        "answer empty page": ("Mehr gibt es nicht."),
        "answer empty": ("Die Warteliste ist leer. 🎉"),
        "answer ticket": (
            "⏳ #1042 · Laptop\n"
            "Warteliste · Spendenanfrage · Freiburg · 23.11., 14:05\n"
            "Wartet seit 11.11.2026\n"
            "Gebraucht wird: Laptop\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort · zusammengeführt mit #11\n"
            "Auch von dieser Person: #41 (Geschlossen), #37 (Warteliste)\n"
            "Geht es um dasselbe? !merge 1042 37 führt sie zusammen.\n"
            "\n"
            "Von: Laptop\n"
            "E-Mail: Laptop\n"
            "Telefon: Laptop\n"
            "Region: Laptop\n"
            "Eröffnet: 23.11., 14:05, über das Kontaktformular\n"
            "Wird am 23.11., 14:05 endgültig gelöscht\n"
            "🔕 Du hast es stummgeschaltet. Um wieder davon zu hören: !unmute 1042\n"
            "\n"
            "Aufgaben\n"
            "• ⬜ 1. Laptop\n"
            "\n"
            "Nachrichten, die neueste zuerst\n"
            "23.11., 14:05 · über das Kontaktformular · Anna\n"
            "> Laptop\n"
            "Laptop: Laptop\n"
            "📎 Laptop (1,2 MB)\n"
            "\n"
            "📝 23.11., 14:05 · Anna\n"
            "> Laptop"
        ),
        "answer tasks": "Aufgaben von #42: 1/2\n• ⬜ 1. Laptop\n• ☑️ 2. Laptop",
        "answer no tasks": "#42 hat keine Aufgaben. So kommt eine dazu: !task add 42 <Text>",
        "answer forwarded": "#57 ist in #42 aufgegangen, deshalb steht die Nachricht dort.",
        "answer search": (
            "Gefunden (11 von mehr als 1.000)\n"
            "⏳ #1 · Laptop · Warteliste · Freiburg\n"
            "Von: Laptop\n"
            "Laptop\n"
            "\n"
            "Es gibt noch mehr, ältere. Ein Wort mehr grenzt die Suche ein.\n"
            "\n"
            "▶️ oder !more: die nächsten"
        ),
        "answer search empty": (
            "Nichts gefunden.\nAlle Wörter müssen vorkommen, aber ihre letzten Buchstaben dürfen fehlen."
        ),
        "answer search for nothing": ("Wonach soll ich suchen? Zum Beispiel: !suche Laptop Kamera"),
        "answer next": (
            "Das älteste, das noch niemand hat:\n"
            "\n"
            "🟢 #1042 · Laptop\n"
            "Offen · Spendenanfrage · Freiburg · 23.11., 14:05\n"
            "⚠️ Es ist für Hamburg, aber im Raum dieses Teams konnte ich nicht schreiben.\n"
            "Sobald das behoben ist: !übergeben 1042 hamburg\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort\n"
            "> Laptop\n"
            "Offen seit 20 Tagen\n"
            "So wird es deins: !nehmen 1042"
        ),
        "answer next waiting": (
            "Um alle neuen Anfragen kümmert sich schon jemand. Am längsten auf der Warteliste:\n"
            "\n"
            "⏳ #1042 · Laptop\n"
            "Warteliste · Spendenanfrage · Freiburg · 23.11., 14:05\n"
            "Wartet seit 11.11.2026\n"
            "Gebraucht wird: Laptop\n"
            "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort · zusammengeführt mit #11\n"
            "Auch von dieser Person: #41 (Geschlossen), #37 (Warteliste)\n"
            "Geht es um dasselbe? !merge 1042 37 führt sie zusammen.\n"
            "> Laptop\n"
            "Falls da ist, was gebraucht wird: !nehmen 1042"
        ),
        "answer next none": ("Niemand wartet: Alles ist vergeben oder erledigt. 🎉"),
        "answer history": (
            "Verlauf von #42\n"
            "\n"
            "23.11.2026\n"
            "• 14:05 · Anfragende*r hat das Ticket eröffnet · Offen → Geschlossen · „Laptop“"
        ),
        "answer history page": (
            "Verlauf von #42 (21 von 21)\n"
            "\n"
            "23.11.2026\n"
            "• 14:05 · Anfragende*r hat das Ticket eröffnet · Offen → Geschlossen · „Laptop“"
        ),
        "answer opened": ("#43 ist eröffnet und steht im Raum von Freiburg."),
        "answer continued": (
            "#42 nimmt keine Nachrichten mehr auf, deshalb geht es mit #43 im Raum von Triage weiter."
        ),
        "answer help": (
            "Das Wichtigste\n"
            "• !nehmen: summary\n"
            "\n"
            "Hier kannst du das „!“ weglassen.\n"
            "Im Thread eines Tickets und als Antwort auf seine Karte kannst du die Nummer weglassen.\n"
            "Oder tipp unter die Karte: 🙋 nehmen · ⏳ warten · ✅ schließen · 🚫 Spam · ↩️ zurück (10 "
            "Minuten)\n"
            "\n"
            "Ansehen\n"
            "• !warteliste: summary\n"
            "\n"
            "!hilfe nehmen erklärt einen Befehl.\n"
            "!hilfe ablauf erklärt die Status."
        ),
        "answer help one": (
            "!nehmen [Nummer …] [--force]\n"
            "summary\n"
            "• Nummer …: which\n"
            "• --force: from another\n"
            "\n"
            "Beispiele:\n"
            "• !nehmen 42: takes 42\n"
            "\n"
            "Auch: !take\n"
            "Dazu passt: !freigeben, !warten"
        ),
        "answer help for admins": (
            "!nehmen [Nummer …] [--force]\n"
            "summary\n"
            "Für Admins.\n"
            "• Nummer …: which\n"
            "• --force: from another\n"
            "\n"
            "Beispiele:\n"
            "• !nehmen 42: takes 42\n"
            "\n"
            "Auch: !take\n"
            "Dazu passt: !freigeben, !warten"
        ),
        "answer statuses": (
            "Was die Status bedeuten und wie es jeweils weitergeht\n"
            "• 🟢 Offen: neu oder wieder offen; noch arbeitet niemand daran → !nehmen, !warten\n"
            "• 📦 Archiviert: aus allen Listen heraus"
        ),
        "answer talk": (
            "Ich verstehe nur Befehle. Probier !meine für deine Tickets, !liste für alle, oder !hilfe."
        ),
        "answer talk of outsiders": (
            "Helfen kann ich nur Mitgliedern eines Teams.\n"
            "Lass dich in den Raum deines Teams einladen; dann schreib mir wieder."
        ),
        "answer status": (
            "Tickettruhe 0.1.0\n"
            "⚠️ Bitte seht nach, was unten markiert ist\n"
            "\n"
            "Läuft seit 5 Stunden (23.11., 09:05)\n"
            "Zuletzt vom Homeserver gehört: heute um 14:05\n"
            "Datenbank: SQLite, Schema 0007\n"
            "Es warten: Befehle 1, Nachrichten 2\n"
            "⚠️ Das Älteste davon wartet seit 9 Minuten\n"
            "🟢 Offen 3 · ✅ Geschlossen 10000+\n"
            "Letzter Tagesüberblick: heute um 09:05\n"
            "Still gepostet, Erinnerung folgt: 2\n"
            "\n"
            "⚠️ 3 Nachrichten warten auf Räume, die ich nicht benutzen kann. Ich sende sie, sobald "
            "das behoben ist.\n"
            "\n"
            "⚠️ 4 Nachrichten ließen sich nicht senden; ich habe sie beiseitegelegt. Die neuesten:\n"
            "• heute um 14:05 · Karte · #42 · Freiburg · M_FORBIDDEN\n"
            "• heute um 14:05 · Nachricht ans Team · Laptop · Laptop\n"
            "• heute um 14:05 · Antwort · anderer Raum · internal: KeyError\n"
            "• heute um 14:05 · Tagesüberblick · Triage · M_TOO_LARGE\n"
            "\n"
            "Lasst mich in dem Raum schreiben; tickettruhe check auf meinem Rechner sagt, was fehlt.\n"
            "Was zu groß war, bleibt ungesendet.\n"
            "„internal“ ist ein Fehler von mir: Sagt es denen, die mich betreuen.\n"
            "Die Karte eines Tickets kommt mit seiner nächsten Änderung, zum Beispiel nach !note 42 "
            "….\n"
            "\n"
            "Räume, die ich nicht benutzen kann\n"
            "• ⚠️ Laptop: Ich bin nicht darin: Ladet mich ein. Fremde können beitreten: Stellt den "
            "Zugang auf „nur auf Einladung“. Fremde können mitlesen: Lasst nur Mitglieder den "
            "Verlauf sehen. Gäste dürfen beitreten: Schaltet den Gastzugang ab. Er wurde durch einen "
            "neuen ersetzt: Ladet mich dorthin ein, dann frage ich, ob ich umziehen "
            "soll. Ich darf dort nicht schreiben: Erlaubt mir, Nachrichten zu senden "
            "(Raumeinstellungen, Rollen).\n"
            "\n"
            "Der andere Raum ist in Ordnung."
        ),
        "answer status well": (
            "Tickettruhe 0.1.0\n"
            "✅ Alles in Ordnung\n"
            "\n"
            "Läuft seit 5 Stunden (23.11., 09:05)\n"
            "Zuletzt vom Homeserver gehört: heute um 14:05\n"
            "Datenbank: PostgreSQL, Schema 0007\n"
            "Nichts wartet.\n"
            "🟢 Offen 7 · ✅ Geschlossen 10000+\n"
            "Letzter Tagesüberblick: gestern um 14:05\n"
            "\n"
            "Räume: alle 2 in Ordnung"
        ),
        "alert greeting direct": (
            "👋 Hallo Laptop, ich bin Tickettruhe.\n"
            "Hier kannst du alle Befehle für die Tickets deiner Teams benutzen, auch ohne „!“. Für den "
            "Anfang:\n"
            "• !meine: deine eigenen Tickets\n"
            "• !liste: was gerade läuft\n"
            "• !warteliste: die Warteliste\n"
            "\n"
            "!hilfe zeigt alles Weitere.\n"
            "\n"
            "Deine Tickets (1)\n"
            "• 🔵 #1 · Laptop · zuletzt 14.11."
        ),
        "alert greeting admin": (
            "👋 Hallo, ich bin Tickettruhe.\n"
            "Hier melde ich Probleme, und ihr seht die Tickets aller Teams. Für den Anfang:\n"
            "• !status: läuft alles?\n"
            "• !liste: was gerade läuft\n"
            "• !archivieren 42: geschlossene Tickets verschwinden aus den Listen\n"
            "\n"
            "!hilfe zeigt alles Weitere."
        ),
        "alert greeting team": (
            "👋 Hallo, ich bin Tickettruhe.\n"
            "Neue Anfragen an Freiburg kommen hier als Karten an. So bearbeitet ihr sie:\n"
            "• !nehmen 42: du arbeitest daran\n"
            "• !warten 42: es kommt auf die Warteliste\n"
            "• !schließen 42: es ist erledigt\n"
            "\n"
            "Oder tipp unter die Karte: 🙋 nehmen · ⏳ warten · ✅ schließen · 🚫 Spam · ↩️ zurück (10 "
            "Minuten)\n"
            "!hilfe zeigt alles Weitere."
        ),
        "alert message": (
            "📨 Laptop hat geschrieben, #42 ist wieder offen.\n"
            "Laptop\n"
            "\n"
            "23.11., 14:05 · über das Kontaktformular\n"
            "> Laptop\n"
            "Laptop: Laptop\n"
            "📎 Laptop (1,2 MB)"
        ),
        "alert given": (
            "Laptop, du hast jetzt #42: Ben hat es dir zugewiesen. Wenn du damit anfängst: !nehmen 42"
        ),
        "alert lost": ("Anna, du hast #42 nicht mehr: Ben hat es übernommen."),
        "alert lost otherwise": ("Anna, du hast #42 nicht mehr: Tickettruhe hat es geändert."),
        "alert back": ("Anna, #42 gehört wieder dir: Ben hat es wiederhergestellt."),
        "alert unheard": (
            "📨 Laptop hat zu #42 geschrieben.\n"
            "\n"
            "23.11., 14:05 · über das Kontaktformular\n"
            "> Laptop\n"
            "Laptop: Laptop\n"
            "📎 Laptop (1,2 MB)"
        ),
        "alert transfer": (
            "Ben hat #42 am 23.11., 14:05 von Triage an euch übergeben.\n"
            "Bisher gibt es 2 Nachrichten; !zeigen 42 zeigt sie.\n"
            "• 23.11.2026, 14:05 · Anfragende*r hat das Ticket eröffnet · Offen → Geschlossen · "
            "„Laptop“"
        ),
        "alert moved": ("#42 liegt jetzt bei Hamburg; Ben hat es übergeben."),
        "alert room": (
            "⚠️ Ich kann den Raum Laptop (!r:example.org) nicht benutzen: Dorthin gehen keine "
            "Tickets, und Befehle von dort nehme ich nicht an.\n"
            "• Ich bin nicht darin: Ladet mich ein.\n"
            "• Fremde können beitreten: Stellt den Zugang auf „nur auf Einladung“.\n"
            "• Fremde können mitlesen: Lasst nur Mitglieder den Verlauf sehen.\n"
            "• Gäste dürfen beitreten: Schaltet den Gastzugang ab.\n"
            "• Er wurde durch einen neuen ersetzt: Ladet mich dorthin ein, dann frage ich, ob ich "
            "umziehen soll.\n"
            "• Ich darf dort nicht schreiben: Erlaubt mir, Nachrichten zu senden "
            "(Raumeinstellungen, Rollen).\n"
            "\n"
            "Sobald das behoben ist, mache ich von selbst weiter und sende, was gewartet hat."
        ),
        "alert room again": ("✅ Der Raum Freiburg (!r:example.org) kann wieder benutzt werden."),
        "alert delivery": (
            "⚠️ Etwas (card) ließ sich nicht in den Raum Laptop senden: Laptop. Ich habe es "
            "beiseitegelegt.\n"
            "Es geht um #42.\n"
            "Prüft bitte, ob ich in dem Raum schreiben darf; !status zeigt, was beiseiteliegt."
        ),
        "answer move confirmed": ("✅ Anna lässt mich umziehen: Freiburg wird Laptop."),
        "answer move declined": (
            "❌ Anna hat entschieden: Triage wird nicht Laptop.\nFalls doch noch: !upgrade triage"
        ),
        "answer move begun": (
            "Ich ziehe um: Adminraum wird Laptop. Im Adminraum melde ich, wenn ich dort bin."
        ),
        "alert room muted": (
            "⚠️ Im Raum Freiburg (!r:example.org) darf ich nicht schreiben: Neue Tickets gehen in "
            "die Triage, alles andere für ihn wartet.\n"
            "• Ich darf dort nicht schreiben: Erlaubt mir, Nachrichten zu senden "
            "(Raumeinstellungen, Rollen).\n"
            "\n"
            "Sobald das behoben ist, mache ich von selbst weiter und sende, was gewartet hat."
        ),
        "alert triage muted": (
            "⚠️ Im Raum Triage (!r:example.org) darf ich nicht schreiben: Was für ihn ist, wartet.\n"
            "• Ich darf dort nicht schreiben: Erlaubt mir, Nachrichten zu senden "
            "(Raumeinstellungen, Rollen).\n"
            "\n"
            "Sobald das behoben ist, mache ich von selbst weiter und sende, was gewartet hat."
        ),
        "alert nowhere": (
            "⚠️ #42 ist neu und steht in keinem Raum: Im Triage-Raum darf ich nicht schreiben.\n"
            "Es ist für Freiburg; im Raum dieses Teams darf ich auch nicht schreiben.\n"
            "!zeigen 42 sagt alles darüber, !übergeben 42 <Team> gibt es einem Team, das ich "
            "erreiche."
        ),
        "alert nowhere from triage": (
            "⚠️ #42 ist neu und steht in keinem Raum: Im Triage-Raum darf ich nicht schreiben.\n"
            "!zeigen 42 sagt alles darüber, !übergeben 42 <Team> gibt es einem Team, das ich "
            "erreiche."
        ),
        "alert move question": (
            "❓ Der Raum Freiburg wurde durch einen neuen ersetzt, !new:example.org. Soll ich "
            "dorthin umziehen?\n"
            "Offene Tickets bekommen dort dann neue Karten. Im alten Raum ändere ich nichts mehr "
            "und nehme keine Befehle an.\n"
            "Für alle Admins: ✅ antippen, dann ziehe ich um; ❌, dann bleibt es, wie es ist. "
            "!upgrade freiburg geht auch später noch."
        ),
        "alert move rejected": (
            "⚠️ Der Raum Triage sagt, dass Laptop ihn ersetzt, aber der neue Raum sagt das nicht.\n"
            "Ich ziehe nicht dorthin um. Falls es der richtige ist, tragt ihn in die Konfiguration "
            "ein."
        ),
        "alert move rejected unseen": (
            "⚠️ Der Raum Freiburg sagt, dass Laptop ihn ersetzt, aber der neue Raum sagt das nicht.\n"
            "Von allein ziehe ich nicht dorthin um. Falls es der richtige ist: !upgrade freiburg"
        ),
        "alert move shut out": (
            "⚠️ In den neuen Raum Laptop von Freiburg komme ich nicht hinein. Ladet mich dort ein, "
            "dann ziehe ich um."
        ),
        "alert room moved": (
            "✅ Ich bin umgezogen: Freiburg ist jetzt Laptop. Entschieden hat das Anna.\n"
            "In der Konfiguration steht noch der alte Raum. Ich finde den neuen trotzdem; bitte "
            "tragt dort teams.freiburg.room: Laptop ein."
        ),
        "alert triage moved": (
            "✅ Ich bin umgezogen: Triage ist jetzt !new:example.org. Entschieden hat das Anna.\n"
            "In der Konfiguration steht noch der alte Raum. Ich finde den neuen trotzdem; bitte "
            "tragt dort rooms.triage: !new:example.org ein."
        ),
        "alert room moved by its alias": (
            "✅ Ich bin umgezogen: Adminraum ist jetzt !new:example.org. Entschieden hat das Anna."
        ),
        "alert delivery diverted": (
            "⚠️ Die Karte eines neuen Tickets ließ sich nicht in den Raum Laptop senden: Laptop. "
            "Es ist jetzt in der Triage.\n"
            "Es geht um #42.\n"
            "Prüft bitte, ob ich in dem Raum schreiben darf; !status zeigt, was beiseiteliegt."
        ),
        "problem no successor": ("Der Raum Freiburg wurde durch keinen neuen ersetzt."),
        "alert restored": (
            "⚠️ Meine Datenbank wurde aus einer Sicherung wiederhergestellt; sie endete am 23.11., 14:05.\n"
            "Die Befehle, die seitdem gegeben wurden, habe ich noch einmal ausgeführt. Was seitdem über "
            "Formular oder Website kam und was angetippt wurde, ist verloren.\n"
            "\n"
            "Von diesen Tickets sind nur noch die Karten da. Bitte legt sie mit !neu neu an:\n"
            "#1\n"
            "\n"
            "Diese Karten zeigen wieder, was ich weiß. Bitte schaut nach, ob es stimmt:\n"
            "#1\n"
            "\n"
            "Neue Tickets bekommen Nummern über #1042, damit keine zweimal vergeben wird."
        ),
        "alert purge": ("#42 ist endgültig gelöscht: 7 Nachrichten in den Räumen wurden entfernt."),
        "alert purge failed": (
            "#42 ist endgültig gelöscht: 7 Nachrichten in den Räumen wurden entfernt.\n"
            "⚠️ 2 Nachrichten ließen sich nicht entfernen. Bitte entfernt sie von Hand.\n"
            "Für das nächste Mal: Gebt mir in den Räumen das Recht, Nachrichten zu entfernen."
        ),
        "alert digest": (
            "☀️ Freiburg, 23.11.2026\n"
            "6 Tickets freuen sich über eine*n von euch.\n"
            "\n"
            "Seit 7 Tagen von niemandem übernommen (2)\n"
            "Eins übernehmen: !nehmen 1\n"
            "• 🔵 #1 · Laptop · seit 20 Tagen\n"
            "… und 1 weiteres: !liste\n"
            "\n"
            "Warteliste (3)\n"
            "Passt etwas? !nehmen 1\n"
            "• 🔵 #1 · Laptop · seit 12 Tagen · Laptop\n"
            "… und 2 weitere: !warteliste\n"
            "\n"
            "In Bearbeitung, aber ohne Bewegung (4)\n"
            "Verwaistes übernehmen: !nehmen --force 1\n"
            "• 🔵 #1 · Laptop · Laptop · ist nicht mehr im Team\n"
            "… und 3 weitere: !liste\n"
            "\n"
            "Gestern: 1 neu, 2 geschlossen, 3 Nachrichten zu Spam-Tickets, 1 Nachricht zu stummen "
            "Tickets\n"
            "Danke fürs Schließen: Laptop 3, Ben 1 … und noch 2 🎉"
        ),
        "alert digest monday": (
            "☀️ Freiburg, 23.11.2026\nNichts ist liegen geblieben: danke! 🎉\n\nSeit 20.11.: 4 neu"
        ),
        "alert quiet": (
            "🔔 Während der Ruhezeit:\n"
            "• #1 · Laptop · neues Ticket\n"
            "• #2 · Laptop · 2 neue Nachrichten · Laptop\n"
            "• #3 · Laptop · gehört jetzt dir · Anna\n"
            "• #4 · gehört nicht mehr dir · Ben\n"
            "• #4 · Laptop · zurückgezogen · Ben\n"
            "• #5 · Laptop · 1 neue Nachricht · An alle im Team\n"
            "… und noch 4"
        ),
        "alert distrusted": (
            "Diese Nachricht kann ich nicht lesen: Deine App hat mir den Schlüssel dazu nicht gegeben.\n"
            "Sie gibt Geräten, die nicht verifiziert sind, keine. Erlaube das in ihren "
            "Sicherheitseinstellungen oder verifiziere mich dort, und schreib noch einmal."
        ),
        "alert failed": (
            "Entschuldige, da ist bei mir etwas schiefgegangen, und nichts wurde geändert. Versuch "
            "es bitte noch einmal.\n"
            "Passiert es wieder, gib den Admins diese Kennung, damit sie es im Protokoll finden: "
            "Laptop"
        ),
        "alert unreadable": (
            "Diese Nachricht kann ich nicht lesen: Deine App hat mir den Schlüssel dazu nicht gegeben.\n"
            "Falls sie für mich war: Ich habe deine App nach dem Schlüssel gefragt und tue, was du "
            "geschrieben hast, wenn er innerhalb eines Tages kommt. Schneller geht es, wenn du die "
            "Nachricht löschst und noch einmal schreibst."
        ),
        "problem team": (
            "Für welches Team ist das?\nEs gibt: Freiburg, Triage\nSchreib es so: !neu --team <Team> <Text>"
        ),
        "problem outsider": ("Das dürfen nur Mitglieder eines Teams. Lass dich in dessen Raum einladen."),
        "problem unknown": ("#42 kenne ich hier nicht.\n!liste zeigt, welche ich hier kenne."),
        "problem from": (
            "#42 kann gerade nicht auf die Warteliste gesetzt werden, der Status ist „Spam“.\n"
            "Möglich: !öffnen 42, !übergeben 42 <Team>, !zuweisen 42 <Person>"
        ),
        "problem admin": ("Das darfst du nicht.\nDas dürfen nur Admins; frag dort nach."),
        "problem taken": (
            "anna hat #42 (In Bearbeitung).\nWenn ihr das abgesprochen habt: !nehmen --force 42"
        ),
        "problem waitlist": (
            "#42 kann nicht warten: Das Thema „Spendenanfrage“ hat keine Warteliste.\n"
            "Wenn das Thema nicht stimmt: !thema 42 <Thema>"
        ),
        "problem member": (
            "ben ist nicht im Raum von Triage, deshalb geht die Zuweisung von #42 nicht.\n"
            "Lade die Person ein oder gib das Ticket an ihr Team: !übergeben 42 <Team>"
        ),
        "problem merged": ("#57 ist in #42 aufgegangen.\nBitte mach dort weiter: !zeigen 42"),
        "problem persons": (
            "#42 ist von Laptop, #57 von Laptop: Die beiden haben keine Adresse gemeinsam.\n"
            "Wenn es trotzdem dieselbe Person ist: !merge 42 57 --force"
        ),
        "problem task": "#42 hat keine Aufgabe 4.\n!task list 42 zeigt die, die es hat.",
        "problem undo new": (
            "Dass #42 notiert wurde, lässt sich nicht rückgängig machen.\n"
            "Das war am 23.11., 14:05.\n"
            "Stattdessen: !schließen 42, !spam 42"
        ),
        "problem undo purge": (
            "#42 ist endgültig gelöscht, das lässt sich nicht rückgängig machen.\n"
            "Das war am 23.11., 14:05.\n"
            "Wird es noch gebraucht, notier es neu: !neu <Text>"
        ),
        "problem undo others": (
            "Die letzte Änderung an #42 war von ben; nur diese Person kann sie rückgängig machen.\n"
            "Das war am 23.11., 14:05.\n"
            "!zeigen 42 sagt, wie es steht; von da aus kannst du es ändern."
        ),
        "answer confirm": (
            "Wirklich alle auf einmal schließen: #41, #42, #43, #44, #45, #46?\n"
            "Anna: ✅ antippen, um es zu tun, oder ❌, um es zu lassen – bis 14:05 Uhr."
        ),
        "answer confirm purge": (
            "Wirklich endgültig vernichten, auch in den Räumen: #42? "
            "Das lässt sich nicht rückgängig machen.\n"
            "Anna: ✅ antippen, um es zu tun, oder ❌, um es zu lassen – bis 14:05 Uhr."
        ),
        "answer confirmed": ("✅ Von Anna bestätigt: #42"),
        "answer left": ("❌ Anna hat es gelassen: Nichts wurde geändert (#42)."),
        "problem here": (
            "!status kann ich hier nicht beantworten.\n"
            "Frag das im Adminraum oder als Admin im Direktchat mit mir."
        ),
        "problem unknown_command": (
            "Diesen Befehl kenne ich nicht.\n"
            "Laptop\n"
            "   ^^^\n"
            "Meintest du !take?\n"
            "So geht es: !nehmen [Nummer …]"
        ),
        "problem unclear_number": (
            "Ist das eine Ticketnummer oder der Anfang des Textes? Schreib # vor eine Ticketnummer "
            "oder setz den Text in Anführungszeichen.\n"
            "Laptop\n"
            "   ^^^\n"
            "Meintest du take?\n"
            "So geht es: !nehmen [Nummer …]"
        ),
        "problem too_long": ("„Betreff“ ist zu lang. Höchstens 200 Zeichen sind möglich."),
    },
    "en": {
        "card in_progress": (
            "🔵 #1042 · Laptop\n"
            "In progress · Donation request · Freiburg · Anna · 23 Nov, 14:05\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12\n"
            "> Laptop"
        ),
        "card waiting": (
            "⏳ #1042 · Laptop\n"
            "On waiting · Donation request · Freiburg · 23 Nov, 14:05\n"
            "Waiting since 11 Nov 2026\n"
            "Needed: Laptop\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12 · merged with #11\n"
            "Also from this person: #41 (Closed), #37 (On waiting)\n"
            "The same matter? !merge 1042 37 joins them.\n"
            "> Laptop"
        ),
        "card closed": (
            "✅ #1042 · Laptop\n"
            "Closed · Donation request · Freiburg · 23 Nov, 14:05\n"
            "Reason: Laptop\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12 · merged into #9\n"
            "> Laptop"
        ),
        "card spam": (
            "🚫 #1042 · Laptop\n"
            "Closed (spam) · Donation request · Freiburg · 23 Nov, 14:05\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12\n"
            "> Laptop"
        ),
        "answer list": (
            "Open tickets (1 of more than 1,000)\n"
            "• ⏳ #1 · Laptop · Freiburg · Needed: Laptop · for 12 days\n"
            "\n"
            "▶️ or !more: the next ones"
        ),
        "answer mine": ("Your tickets (1)\n• 🔵 #1 · Laptop · last changed 14 Nov"),
        "answer waitlist": (
            "Waiting list (11 of 11)\n11. #1 · Laptop · Needed: Laptop · for 12 days (11 Nov)"
        ),
        "answer filtered": (
            "Open tickets · Donation request · untouched for at least 14 days (1)\n"
            "• ⏳ #1 · Laptop · Needed: Laptop · last changed 14 Nov"
        ),
        "answer all": ("All tickets, the newest first (1)\n• ✅ #1 · Laptop · last changed 14 Nov"),
        "answer empty filtered": ("Waiting list · Laptop · for at least 1 day: nothing there at the moment."),
        "answer empty page": ("There are no more."),
        "answer empty": ("The waiting list is empty. 🎉"),
        "answer ticket": (
            "⏳ #1042 · Laptop\n"
            "On waiting · Donation request · Freiburg · 23 Nov, 14:05\n"
            "Waiting since 11 Nov 2026\n"
            "Needed: Laptop\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12 · merged with #11\n"
            "Also from this person: #41 (Closed), #37 (On waiting)\n"
            "The same matter? !merge 1042 37 joins them.\n"
            "\n"
            "From: Laptop\n"
            "E-mail: Laptop\n"
            "Phone: Laptop\n"
            "Region: Laptop\n"
            "Opened: 23 Nov, 14:05, over the contact form\n"
            "Will be purged for good on 23 Nov, 14:05\n"
            "🔕 You have muted it. To hear of it again: !unmute 1042\n"
            "\n"
            "Tasks\n"
            "• ⬜ 1. Laptop\n"
            "\n"
            "Messages, newest first\n"
            "23 Nov, 14:05 · over the contact form · Anna\n"
            "> Laptop\n"
            "Laptop: Laptop\n"
            "📎 Laptop (1.2 MB)\n"
            "\n"
            "📝 23 Nov, 14:05 · Anna\n"
            "> Laptop"
        ),
        "answer tasks": "Tasks of #42: 1/2\n• ⬜ 1. Laptop\n• ☑️ 2. Laptop",
        "answer no tasks": "#42 has no tasks. Add one: !task add 42 <text>",
        "answer forwarded": "#57 was merged into #42, so the message is there.",
        "answer search": (
            "Found (11 of more than 1,000)\n"
            "⏳ #1 · Laptop · On waiting · Freiburg\n"
            "From: Laptop\n"
            "Laptop\n"
            "\n"
            "There are more, older ones. One more word narrows it down.\n"
            "\n"
            "▶️ or !more: the next ones"
        ),
        "answer search empty": (
            "Nothing found.\nAll words must be there, but their last letters may be missing."
        ),
        "answer search for nothing": ("I need a word to search for: !search laptop camera"),
        "answer next": (
            "The oldest that nobody has:\n"
            "\n"
            "🟢 #1042 · Laptop\n"
            "Open · Donation request · Freiburg · 23 Nov, 14:05\n"
            "⚠️ It is for Hamburg, but I could not write in their room.\n"
            "Once that is put right: !transfer 1042 hamburg\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12\n"
            "> Laptop\n"
            "Open for 20 days\n"
            "It becomes yours with !take 1042"
        ),
        "answer next waiting": (
            "Every new request has somebody. Longest on the waiting list:\n"
            "\n"
            "⏳ #1042 · Laptop\n"
            "On waiting · Donation request · Freiburg · 23 Nov, 14:05\n"
            "Waiting since 11 Nov 2026\n"
            "Needed: Laptop\n"
            "☑️ Tasks 2/3 · 📎 2 · continues #12 · merged with #11\n"
            "Also from this person: #41 (Closed), #37 (On waiting)\n"
            "The same matter? !merge 1042 37 joins them.\n"
            "> Laptop\n"
            "If there is what it needs: !take 1042"
        ),
        "answer next none": ("Nobody is waiting: everything is taken or done. 🎉"),
        "answer history": (
            "History of #42\n\n23 Nov 2026\n• 14:05 · requester opened the ticket · Open → Closed · “Laptop”"
        ),
        "answer history page": (
            "History of #42 (21 of 21)\n"
            "\n"
            "23 Nov 2026\n"
            "• 14:05 · requester opened the ticket · Open → Closed · “Laptop”"
        ),
        "answer opened": ("#43 is open and in the room of Freiburg."),
        "answer continued": ("#42 can take no more messages, so #43 continues it in the room of Triage."),
        "answer help": (
            "To begin with\n"
            "• !take: summary\n"
            "\n"
            "Here you can leave out the “!”.\n"
            "In a ticket's thread and in a reply to its card you can leave out the number.\n"
            "Or tap under the card: 🙋 take · ⏳ wait · ✅ close · 🚫 spam · ↩️ undo (10 minutes)\n"
            "\n"
            "Looking\n"
            "• !waitlist: summary\n"
            "\n"
            "!help take explains a command.\n"
            "!help statuses explains the statuses."
        ),
        "answer help one": (
            "!take [number …] [--force]\n"
            "summary\n"
            "• number …: which\n"
            "• --force: from another\n"
            "\n"
            "Examples:\n"
            "• !take 42: takes 42\n"
            "\n"
            "Also: !nehmen\n"
            "Goes with it: !release, !wait"
        ),
        "answer help for admins": (
            "!take [number …] [--force]\n"
            "summary\n"
            "For admins.\n"
            "• number …: which\n"
            "• --force: from another\n"
            "\n"
            "Examples:\n"
            "• !take 42: takes 42\n"
            "\n"
            "Also: !nehmen\n"
            "Goes with it: !release, !wait"
        ),
        "answer statuses": (
            "What the statuses mean, and how to go on from each\n"
            "• 🟢 Open: new, or open again; nobody works on it yet → !take, !wait\n"
            "• 📦 Archived: out of every list"
        ),
        "answer talk": ("I only understand commands. Try !mine for your tickets, !list for all, or !help."),
        "answer talk of outsiders": (
            "I can only help members of a team.\n"
            "Ask to be invited into your team's room; then write to me again."
        ),
        "answer status": (
            "Tickettruhe 0.1.0\n"
            "⚠️ Please look at what is marked below\n"
            "\n"
            "Running for 5 hours (since 23 Nov, 09:05)\n"
            "Last word from the homeserver: today at 14:05\n"
            "Database: SQLite, schema 0007\n"
            "Waiting: commands 1, messages 2\n"
            "⚠️ The oldest of it has been waiting for 9 minutes\n"
            "🟢 Open 3 · ✅ Closed 10000+\n"
            "Last digest: today at 09:05\n"
            "Posted silently, a reminder follows: 2\n"
            "\n"
            "⚠️ 3 messages are held back for rooms that I cannot use. I send them once that is "
            "mended.\n"
            "\n"
            "⚠️ 4 messages could not be sent, and I have set them aside. The latest:\n"
            "• today at 14:05 · card · #42 · Freiburg · M_FORBIDDEN\n"
            "• today at 14:05 · message to the team · Laptop · Laptop\n"
            "• today at 14:05 · answer · another room · internal: KeyError\n"
            "• today at 14:05 · digest · Triage · M_TOO_LARGE\n"
            "\n"
            "Let me write in the room; tickettruhe check on my machine says what is missing.\n"
            "What was too large stays unsent.\n"
            "“internal” is a fault of mine: tell those who look after me.\n"
            "A ticket's card comes with its next change, for example after !note 42 ….\n"
            "\n"
            "Rooms that I cannot use\n"
            "• ⚠️ Laptop: I am not in it: invite me. Strangers can join it: set the access to “by "
            "invitation only”. Strangers can read it: let only members see the history. Guests may "
            "join it: turn guest access off. It was upgraded: invite me into the new room, and I ask "
            "whether to move. I may not write there: let me send messages (room settings, roles).\n"
            "\n"
            "The other room is in order."
        ),
        "answer status well": (
            "Tickettruhe 0.1.0\n"
            "✅ Everything is well\n"
            "\n"
            "Running for 5 hours (since 23 Nov, 09:05)\n"
            "Last word from the homeserver: today at 14:05\n"
            "Database: PostgreSQL, schema 0007\n"
            "Nothing waits.\n"
            "🟢 Open 7 · ✅ Closed 10000+\n"
            "Last digest: yesterday at 14:05\n"
            "\n"
            "Rooms: all 2 in order"
        ),
        "alert greeting direct": (
            "👋 Hello Laptop, I am Tickettruhe.\n"
            "Here you can use all commands on your teams' tickets, even without the “!”. To begin with:\n"
            "• !mine: your own tickets\n"
            "• !list: what is under way\n"
            "• !waitlist: the waiting list\n"
            "\n"
            "!help tells the rest.\n"
            "\n"
            "Your tickets (1)\n"
            "• 🔵 #1 · Laptop · last changed 14 Nov"
        ),
        "alert greeting admin": (
            "👋 Hello, I am Tickettruhe.\n"
            "I report problems here, and you see the tickets of all teams. To begin with:\n"
            "• !status: is all well?\n"
            "• !list: what is under way\n"
            "• !archive 42: closed tickets leave the lists\n"
            "\n"
            "!help tells the rest."
        ),
        "alert greeting team": (
            "👋 Hello, I am Tickettruhe.\n"
            "New requests to Freiburg arrive here as cards. This is what you do with them:\n"
            "• !take 42: you work on it now\n"
            "• !wait 42: it goes on the waiting list\n"
            "• !close 42: it is done\n"
            "\n"
            "Or tap under the card: 🙋 take · ⏳ wait · ✅ close · 🚫 spam · ↩️ undo (10 minutes)\n"
            "!help tells the rest."
        ),
        "alert message": (
            "📨 Laptop wrote, and #42 is open again.\n"
            "Laptop\n"
            "\n"
            "23 Nov, 14:05 · over the contact form\n"
            "> Laptop\n"
            "Laptop: Laptop\n"
            "📎 Laptop (1.2 MB)"
        ),
        "alert given": ("Laptop, #42 is yours: Ben assigned it to you. When you begin with it: !take 42"),
        "alert lost": ("Anna, #42 is no longer yours: Ben took it over."),
        "alert lost otherwise": ("Anna, #42 is no longer yours: Tickettruhe changed it."),
        "alert back": ("Anna, #42 is yours again: Ben restored it."),
        "alert unheard": (
            "📨 Laptop wrote on #42.\n"
            "\n"
            "23 Nov, 14:05 · over the contact form\n"
            "> Laptop\n"
            "Laptop: Laptop\n"
            "📎 Laptop (1.2 MB)"
        ),
        "alert transfer": (
            "Ben transferred #42 from Triage to you on 23 Nov, 14:05.\n"
            "It has 2 messages so far; !show 42 shows them.\n"
            "• 23 Nov 2026, 14:05 · requester opened the ticket · Open → Closed · “Laptop”"
        ),
        "alert moved": ("#42 is now with Hamburg; Ben transferred it."),
        "alert room": (
            "⚠️ I cannot use the room Laptop (!r:example.org): no tickets go there and no commands "
            "are taken.\n"
            "• I am not in it: invite me.\n"
            "• Strangers can join it: set the access to “by invitation only”.\n"
            "• Strangers can read it: let only members see the history.\n"
            "• Guests may join it: turn guest access off.\n"
            "• It was upgraded: invite me into the new room, and I ask whether to move.\n"
            "• I may not write there: let me send messages (room settings, roles).\n"
            "\n"
            "As soon as that is put right, I go on by myself and send what has waited."
        ),
        "alert room again": ("✅ The room Freiburg (!r:example.org) can be used again."),
        "alert delivery": (
            "⚠️ Something (card) could not be sent to the room Laptop: Laptop. I have set it aside.\n"
            "It is about #42.\n"
            "Check whether I may write in that room; !status shows what is set aside."
        ),
        "answer move confirmed": ("✅ Anna lets me move: Freiburg becomes Laptop."),
        "answer move declined": (
            "❌ Anna decided that Triage does not become Laptop.\nIf you change your mind: !upgrade triage"
        ),
        "answer move begun": ("I move: admin room becomes Laptop. The admin room is told when I am there."),
        "alert room muted": (
            "⚠️ I may not write in the room Freiburg (!r:example.org): new tickets go to triage, "
            "all else for it waits.\n"
            "• I may not write there: let me send messages (room settings, roles).\n"
            "\n"
            "As soon as that is put right, I go on by myself and send what has waited."
        ),
        "alert triage muted": (
            "⚠️ I may not write in the room Triage (!r:example.org): what is for it waits.\n"
            "• I may not write there: let me send messages (room settings, roles).\n"
            "\n"
            "As soon as that is put right, I go on by myself and send what has waited."
        ),
        "alert nowhere": (
            "⚠️ #42 is new and stands in no room: I may not write in the one for triage.\n"
            "It is for Freiburg, in whose room I may not write either.\n"
            "!show 42 tells all about it, !transfer 42 <team> gives it to a team that I can reach."
        ),
        "alert nowhere from triage": (
            "⚠️ #42 is new and stands in no room: I may not write in the one for triage.\n"
            "!show 42 tells all about it, !transfer 42 <team> gives it to a team that I can reach."
        ),
        "alert move question": (
            "❓ The room Freiburg was upgraded. Shall I move to the new one, !new:example.org?\n"
            "Open tickets then get new cards there. In the old room I change nothing more and take "
            "no commands.\n"
            "Any admin: tap ✅ to let me move or ❌ to leave it. !upgrade freiburg does it later, "
            "too."
        ),
        "alert move rejected": (
            "⚠️ The room Triage says that Laptop replaces it, but that room does not say so.\n"
            "I do not move there. If it is the right one, put it into the config."
        ),
        "alert move rejected unseen": (
            "⚠️ The room Freiburg says that Laptop replaces it, but that room does not say so.\n"
            "I do not move there by myself. If it is the right one: !upgrade freiburg"
        ),
        "alert move shut out": (
            "⚠️ The new room Laptop of Freiburg does not let me in. Invite me there, then I move."
        ),
        "alert room moved": (
            "✅ I have moved: Freiburg is now Laptop. Anna decided it.\n"
            "The config still names the old room. I know better, but please write "
            "teams.freiburg.room: Laptop there."
        ),
        "alert triage moved": (
            "✅ I have moved: Triage is now !new:example.org. Anna decided it.\n"
            "The config still names the old room. I know better, but please write rooms.triage: "
            "!new:example.org there."
        ),
        "alert room moved by its alias": (
            "✅ I have moved: admin room is now !new:example.org. Anna decided it."
        ),
        "alert delivery diverted": (
            "⚠️ A new ticket's card could not be sent to the room Laptop: Laptop. It went to "
            "triage.\n"
            "It is about #42.\n"
            "Check whether I may write in that room; !status shows what is set aside."
        ),
        "problem no successor": ("The room Freiburg was not upgraded, so there is none to move into."),
        "alert restored": (
            "⚠️ My database was restored from a backup; it ended on 23 Nov, 14:05.\n"
            "I have done the commands that were given since then once more. What came by form or website "
            "since then, and what was tapped, is lost.\n"
            "\n"
            "Of these tickets only the cards are left. Please file them again with !new:\n"
            "#1\n"
            "\n"
            "These cards show again what I know. Please look whether it is true:\n"
            "#1\n"
            "\n"
            "New tickets get numbers above #1042, so that none is given twice."
        ),
        "alert purge": ("#42 is purged: 7 messages in the rooms were removed."),
        "alert purge failed": (
            "#42 is purged: 7 messages in the rooms were removed.\n"
            "⚠️ 2 messages could not be removed. Please remove them by hand.\n"
            "For the next time: give me the right to remove messages in the rooms."
        ),
        "alert digest": (
            "☀️ Freiburg, 23 Nov 2026\n"
            "6 tickets would be glad of one of you.\n"
            "\n"
            "Nobody has taken these for 7 days (2)\n"
            "Take one: !take 1\n"
            "• 🔵 #1 · Laptop · for 20 days\n"
            "… and 1 more: !list\n"
            "\n"
            "Waiting list (3)\n"
            "Something fits? !take 1\n"
            "• 🔵 #1 · Laptop · for 12 days · Laptop\n"
            "… and 2 more: !waitlist\n"
            "\n"
            "In progress, but standing still (4)\n"
            "Take one over: !take --force 1\n"
            "• 🔵 #1 · Laptop · Laptop · is no longer in the team\n"
            "… and 3 more: !list\n"
            "\n"
            "Yesterday: 1 new, 2 closed, 3 messages on spam tickets, 1 message on muted tickets\n"
            "Thank you for closing: Laptop 3, Ben 1 … and 2 more 🎉"
        ),
        "alert digest monday": (
            "☀️ Freiburg, 23 Nov 2026\nNothing was left lying: thank you! 🎉\n\nSince 20 Nov: 4 new"
        ),
        "alert quiet": (
            "🔔 While it was quiet:\n"
            "• #1 · Laptop · new ticket\n"
            "• #2 · Laptop · 2 new messages · Laptop\n"
            "• #3 · Laptop · yours now · Anna\n"
            "• #4 · no longer yours · Ben\n"
            "• #4 · Laptop · withdrawn · Ben\n"
            "• #5 · Laptop · 1 new message · To all in the team\n"
            "… and 4 more"
        ),
        "alert distrusted": (
            "I cannot read this message: your app has not given me the key to it.\n"
            "It gives none to devices that are not verified. Allow that in its security settings, or "
            "verify me there, and write again."
        ),
        "alert failed": (
            "Sorry, that went wrong on my side, and nothing was changed. Please try again.\n"
            "If it happens again, give the admins this id, so that they find it in the log: Laptop"
        ),
        "alert unreadable": (
            "I cannot read this message: your app has not given me the key to it.\n"
            "If it was meant for me: I have asked your app for the key, and do what you wrote if it comes "
            "within a day. To be quicker, delete the message and write it again."
        ),
        "problem team": (
            "For which team is it?\n"
            "There are: Freiburg, Triage\n"
            "Write it like this: !new --team <team> <text>"
        ),
        "problem outsider": ("Only members of a team may do that. Ask to be invited into its room."),
        "problem unknown": ("I do not know #42 here.\n!list shows those that I know here."),
        "problem from": (
            "#42 cannot be put on the waiting list now, its status is “Closed (spam)”.\n"
            "Possible: !reopen 42, !transfer 42 <team>, !assign 42 <person>"
        ),
        "problem admin": ("You may not do that.\nOnly admins may do that; ask one of them."),
        "problem taken": ("anna has #42 (In progress).\nIf you have agreed on it: !take --force 42"),
        "problem waitlist": (
            "#42 cannot wait: the topic “Donation request” has no waiting list.\n"
            "If the topic is wrong: !topic 42 <topic>"
        ),
        "problem member": (
            "ben is not in the room of Triage, so #42 cannot be assigned there.\n"
            "Invite the person, or give the ticket to their team: !transfer 42 <team>"
        ),
        "problem merged": "#57 was merged into #42.\nPlease go on there: !show 42",
        "problem persons": (
            "#42 is from Laptop, #57 from Laptop: they have no address in common.\n"
            "If it is one person nevertheless: !merge 42 57 --force"
        ),
        "problem task": "#42 has no task 4.\n!task list 42 shows those that it has.",
        "problem undo new": (
            "Writing down #42 cannot be undone.\nIt was on 23 Nov, 14:05.\nInstead: !close 42, !spam 42"
        ),
        "problem undo purge": (
            "#42 is purged, which cannot be undone.\n"
            "It was on 23 Nov, 14:05.\n"
            "If it is still needed, write it down again: !new <text>"
        ),
        "problem undo others": (
            "The last change of #42 was ben's; only they can undo it.\n"
            "It was on 23 Nov, 14:05.\n"
            "!show 42 tells how it stands; change it from there."
        ),
        "answer confirm": (
            "Really close all of these at once: #41, #42, #43, #44, #45, #46?\n"
            "Anna: tap ✅ to do it or ❌ to leave it, until 14:05."
        ),
        "answer left": ("❌ Anna left it: nothing was done (#42)."),
        "problem here": (
            "!status cannot be answered here.\n"
            "Ask it in the admin room, or as an admin in a direct chat with me."
        ),
        "problem unknown_command": (
            "I do not know this command.\n"
            "Laptop\n"
            "   ^^^\n"
            "Did you mean !take?\n"
            "It is written like this: !take [number …]"
        ),
        "problem unclear_number": (
            "Is this a ticket's number or the beginning of the text? Write # before a ticket's "
            "number, or put the text in quotation marks.\n"
            "Laptop\n"
            "   ^^^\n"
            "Did you mean take?\n"
            "It is written like this: !take [number …]"
        ),
        "problem too_long": ("“subject” is too long. At most 200 characters are possible."),
    },
}


@pytest.mark.parametrize("language", GOLDEN)
def test_what_people_read(language: str) -> None:
    made = everything("Laptop", 1, language)
    assert {name: made[name].body for name in GOLDEN[language]} == GOLDEN[language]


def test_the_html_of_a_card() -> None:
    assert RENDERER.card(card("Laptop <3 @room"), "de", BERLIN).formatted_body == (
        "<p>⏳ <strong>#1042 · Laptop &lt;3 @\u2060room</strong><br>"
        "Warteliste · Spendenanfrage · Freiburg · 23.11., 14:05<br>"
        "Wartet seit 11.11.2026<br>"
        "Gebraucht wird: Laptop &lt;3 @\u2060room<br>"
        "☑️ Aufgaben 2/3 · 📎 2 · setzt #12 fort · "
        'zusammengeführt mit <a href="https://matrix.to/#/!room:example.org/$event">#11</a><br>'
        'Auch von dieser Person: <a href="https://matrix.to/#/!room:example.org/$event">#41</a> (Geschlossen)'
        ', <a href="https://matrix.to/#/!room:example.org/$event">#37</a> (Warteliste)<br>'
        "Geht es um dasselbe? <code>!merge 1042 37</code> führt sie zusammen.</p>"
        "<blockquote>Laptop &lt;3 @\u2060room</blockquote>"
    )


def test_a_refused_tap_is_answered_by_name() -> None:
    refused = TakenBy(42, "@ben:example.org", Status.IN_PROGRESS)
    made = RENDERER.problem(refused, "en", BERLIN, {}, Person("@anna:example.org", "Anna"))
    assert made.body.splitlines()[0] == "Anna: ben has #42 (In progress)."
    assert (made.mentions, made.notice) == (("@anna:example.org",), True)


def test_one_notice_says_what_was_done_and_what_not() -> None:
    refused = (TakenBy(42, "@anna:example.org", Status.IN_PROGRESS), OpenTasks(43, (OpenTask(2, "Anrufen"),)))
    assert RENDERER.outcome((40, 41), refused, "de", BERLIN).body == (
        "✅ Erledigt: #40, #41\n"
        "❌ Nicht erledigt:\n"
        "• anna hat #42 (In Bearbeitung). Wenn ihr das abgesprochen habt: !nehmen --force 42\n"
        "• #43 hat noch 1 offene Aufgabe; erledige sie, bevor du das Ticket schließt: "
        "⬜ 2. Anrufen Wenn sie erledigt sind: !task done #43 2"
    )
