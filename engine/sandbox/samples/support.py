"""Requests to the support desk, in the languages and charsets that people write in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.sandbox.samples.files import JPEG, archive, png
from engine.sandbox.samples.wire import Part, Sample, attached, both, html, inline, mail, multi, text, word

# name, sender, subject, body, charset, transfer encoding; subjects are encoded as the sender's software would
REQUESTS = (
    ("en-login", "Ann Baker <ann@customer.example>", "Cannot log in since this morning",
     'Hello,\n\nsince this morning the login page says "unknown user".\nCan you help?\n\nAnn\n',
     "us-ascii", "7bit"),
    ("en-order", "Tom Hill <tom@shop.example>", "Order #48211 arrived damaged",
     "The parcel with order 48211 was open when it came. Photos attached later.\n\nTom\n", "us-ascii",
     "7bit"),
    ("en-order-late", "Mia Wong <mia.wong@customer.example>", "Where is my order 48377?",
     "It was promised for Monday.\n", "utf-8", "7bit"),
    ("en-password", "j.doe@customer.example", "Password reset link does not work",
     "I get “link expired” each time — even at once.\n", "utf-8", "quoted-printable"),
    ("en-api", "Dev Team <dev@integrator.example>", "Question about the API limits",
     "Hi,\n\nhow many calls may we make?\n\n    GET /v1/orders\n    429 Too Many Requests\n\nThanks\n",
     "utf-8", "8bit"),
    ("en-crash", "Priya Nair <priya@customer.example>", "App crashes on start [urgent]",
     "Version 4.2.1 on Android 14.\nLog:\nat com.example.Main.run(Main.java:42)\n",
     "utf-8", "7bit"),
    ("en-outlook", "Carl Reed <carl@legacy.example>", "Printing labels – wrong size",
     "The labels print at 90% – any idea why? It’s the “Zebra” printer.\n", "windows-1252",
     "quoted-printable"),
    ("en-refund", "Liam O'Neil <liam@customer.example>", "Refund for order 51002",
     "Please refund my order. It costs € 49.90.\n", "iso-8859-15", "quoted-printable"),
    ("de-hilfe", "Jürgen Müller <juergen@kunde.example>", "Hilfe bei der Anmeldung",
     "Guten Tag,\n\nich kann mich nicht anmelden. Können Sie mir helfen?\n\nViele Grüße\nJürgen Müller\n",
     "iso-8859-1", "quoted-printable"),
    ("de-bestellung", "Sabine Weiß <sabine@kunde.example>", "Frage zu Bestellung 48290",
     "Wann wird meine Bestellung geliefert?\n\nMit freundlichen Grüßen\nSabine Weiß\n", "utf-8", "base64"),
    ("de-rueckgabe", "Ute Schäfer <ute@kunde.example>", "Rückgabe, wie geht das?",
     "Die Größe passt nicht.\n", "windows-1252", "8bit"),
    ("de-stoerung", "Leitstelle <leitstelle@werk.example>", "Störung seit 6 Uhr: bitte um Rückruf",
     "Anlage 3 meldet E-17.\nTelefon: +49 30 5550123\n", "iso-8859-1", "8bit"),
    ("fr-connexion", "Élodie Lefèvre <elodie@client.example>", "Problème de connexion",
     "Bonjour,\n\nje n'arrive plus à me connecter à mon compte.\nMerci de votre aide.\n\nÉlodie\n",
     "iso-8859-1", "quoted-printable"),
    ("fr-commande", "Jean-Pierre Dupont <jp@client.example>", "Commande 48301 non reçue",
     "Ma commande n'est pas arrivée. Où est-elle ?\nPrix : 120 €\n", "iso-8859-15", "8bit"),
    ("fr-facture", "Zoé Martin <zoe@client.example>", "Aide : double prélèvement",
     "Votre œuvre m'a été facturée deux fois.\n", "utf-8", "8bit"),
    ("es-cuenta", "José Nuñez <jose@cliente.example>", "Problema con mi cuenta",
     "¡Hola!\n\nNo puedo entrar en mi cuenta. ¿Me pueden ayudar?\n\nGracias, José\n", "utf-8",
     "quoted-printable"),
    ("es-pedido", "Lucía Gómez <lucia@cliente.example>", "Mi pedido 48333 no ha llegado",
     "¿Dónde está mi pedido?\n", "iso-8859-1", "base64"),
    ("es-ayuda", "Iker Peña <iker@cliente.example>", "Ayuda con la contraseña",
     "La contraseña nueva no funciona.\n", "utf-8", "8bit"),
    ("pl-pomoc", "Małgorzata Wójcik <malgorzata@klient.example>", "Prośba o pomoc z zamówieniem",
     "Dzień dobry,\n\nnie mogę opłacić zamówienia.\n\nPozdrawiam\n", "iso-8859-2", "quoted-printable"),
    ("pl-haslo", "Paweł Zięba <pawel@klient.example>", "Nie działa hasło", "Proszę o reset hasła.\n",
     "windows-1250", "8bit"),
    ("it-aiuto", "Niccolò Russo <niccolo@cliente.example>", "Aiuto: l'app non si apre più",
     "Buongiorno, l'app non si apre più. Perché?\n", "utf-8", "quoted-printable"),
    ("pt-ajuda", "João Conceição <joao@cliente.example>", "Não consigo acessar minha conta",
     "Olá, preciso de ajuda com o acesso.\n", "iso-8859-1", "quoted-printable"),
    ("nl-vraag", "Anouk de Vries <anouk@klant.example>", "Vraag over mijn bestelling",
     "Wanneer wordt mijn pakje geleverd? Coördinatie graag.\n", "utf-8", "7bit-escaped"),
    ("tr-sorun", "Ayşe Yılmaz <ayse@musteri.example>", "Giriş yapamıyorum", "Merhaba, şifremi unuttum.\n",
     "iso-8859-9", "quoted-printable"),
    ("el-voitheia", "Ελένη <eleni@pelatis.example>", "Βοήθεια με τον λογαριασμό",
     "Δεν μπορώ να συνδεθώ.\n", "iso-8859-7", "base64"),
    ("ru-vopros", "Иван Петров <ivan@klient.example>", "Вопрос по заказу 48344",
     "Здравствуйте!\n\nГде мой заказ?\n", "koi8-r", "8bit"),
    ("ru-oshibka", "Ольга <olga@klient.example>", "Ошибка при входе", "Не могу войти.\n", "windows-1251",
     "quoted-printable"),
    ("uk-pytannia", "Олена Іваненко <olena@klient.example>", "Питання", "Добрий день! Є питання.\n",
     "utf-8", "base64"),
    ("ja-shitsumon", "山田太郎 <taro@kokyaku.example>", "ログインできません",
     "お世話になっております。\nログインできません。\n",
     "iso-2022-jp", "7bit"),
    ("ja-chuumon", "佐藤花子 <hanako@kokyaku.example>", "注文48399について",
     "注文が届きません。\n", "shift_jis", "base64"),
    ("zh-bangzhu", "王伟 <wei@kehu.example>", "无法登录",
     "您好，\n我无法登录我的帐户。\n", "gb18030", "base64"),
    ("zh-dingdan", "陳小美 <mei@kehu.example>", "訂單 48401 的問題",
     "請問我的訂單在哪裡？\n", "big5", "8bit"),
    ("ko-munui", "김민준 <minjun@gogaek.example>", "로그인 문의",
     "안녕하세요. 로그인이 되지 않습니다.\n", "euc-kr", "base64"),
    ("ar-musaada", "أحمد علي <ahmed@amil.example>", "مشكلة في تسجيل الدخول",
     "مرحبا،\nلا أستطيع تسجيل الدخول.\n", "utf-8", "base64"),
    ("ar-talab", "فاطمة <fatima@amil.example>", "طلب رقم 48410", "أين طلبي؟\n", "windows-1256",
     "quoted-printable"),
    ("he-ezra", "דנה לוי <dana@lakoach.example>", "עזרה עם ההזמנה", "שלום, איפה ההזמנה שלי?\n",
     "iso-8859-8", "base64"),
    ("th-chuai", "สมชาย <somchai@luuka.example>", "เข้าสู่ระบบไม่ได้", "ช่วยด้วยครับ\n", "tis-620",
     "base64"),
    ("hi-madad", "अमित <amit@grahak.example>", "लॉगिन में समस्या", "नमस्ते, कृपया मदद करें।\n", "utf-8",
     "base64"),
    ("emoji", "Zoe 🌻 <zoe@customer.example>", "App 📱 broken 😢", "Please fix it 🙏\n", "utf-8", "8bit"),
)  # fmt: skip


def messages() -> Iterator[Sample]:
    """Give plain requests, then those that come with pictures and files."""
    for name, sender, subject, body, charset, cte in REQUESTS:
        coded = "us-ascii" if subject.isascii() else charset
        encoding = "q" if cte == "quoted-printable" else "b"
        yield mail(
            f"support/{name}",
            _sender(sender, charset, encoding),
            subject if coded == "us-ascii" else word(subject, charset, encoding),
            _body(body, charset, cte),
        )
    yield from _illustrated()


def _sender(sender: str, charset: str, encoding: str) -> str:
    name, _, address = sender.rpartition("<")
    return sender if name.isascii() else f"{word(name.strip(), charset, encoding)} <{address}"


def _body(body: str, charset: str, cte: str) -> Part:
    if cte == "7bit-escaped":
        return text(body.replace("\u00f6", "oe"), charset, "7bit", params="; format=flowed; delsp=yes")
    return text(body, charset, cte)


WORDS = both("The screen looks like this.\n", "<p>The screen looks <b>like this</b>.</p>")
RELATED = multi(
    "related",
    html('<p>See: <img src="cid:shot@customer.example"></p>'),
    inline("shot@customer.example", "image/jpeg", JPEG),
)
NESTED = multi("alternative", text("See the picture.\n"), RELATED)
LOGS = archive(app_log=b"INFO start\nERROR 500\n" * 200, system_txt=b"Debian 12\n")
ILLUSTRATED: tuple[tuple[str, str, str, Part, dict[str, Any]], ...] = (
    (
        "support/screenshot",
        "Ann Baker <ann@customer.example>",
        "Screenshot of the error",
        multi("mixed", WORDS, attached("screen.png", "image/png", png(120, 80))),
        {},
    ),
    (
        "support/inline-picture",
        "Tom Hill <tom@shop.example>",
        "Order 48211: picture of the damage",
        RELATED,
        {},
    ),
    ("support/inline-and-alternative", "Mia Wong <mia.wong@customer.example>", "Wrong colour", NESTED, {}),
    (
        "support/logs",
        "Dev Team <dev@integrator.example>",
        "Logs for ticket 7781",
        multi("mixed", text("Logs attached.\n"), attached("logs.zip", "application/zip", LOGS)),
        {},
    ),
    (
        "support/many-pictures",
        "Priya Nair <priya@customer.example>",
        "Photos of the device",
        multi(
            "mixed",
            text("Three photos.\n"),
            *(attached(f"IMG_{number}.jpg", "image/jpeg", JPEG) for number in (101, 102, 103)),
        ),
        {},
    ),
    (
        "support/big-photo",
        "Carl Reed <carl@legacy.example>",
        "Photo in full size",
        multi("mixed", text("As you asked.\n"), attached("photo.png", "image/png", png(600, 500, seed=7))),
        {},
    ),
    (
        "support/only-a-file",
        "scanner@customer.example",
        "Scan",
        attached("scan.png", "image/png", png(64, 64, seed=3)),
        {},
    ),
    (
        "support/csv",
        "Dev Team <dev@integrator.example>",
        "Export is missing a column",
        multi(
            "mixed",
            text("See the file.\n"),
            attached("export.csv", "text/csv; charset=utf-8", b"id;name\n1;Ann\n", cte="7bit"),
        ),
        {},
    ),
    (
        "support/vip-outage",
        "Grace Hall <grace@bigcustomer.example>",
        "Production is down",
        both("All screens are red. Please call me.\n", "<p>All screens are <b>red</b>. Please call me.</p>"),
        {"extra": [("X-Priority", "1 (Highest)"), ("Importance", "high")]},
    ),
    (
        "support/vip-question",
        "Noah King <noah@bigcustomer.example>",
        "Training dates",
        text("When is the next training?\n"),
        {},
    ),
    (
        "support/vip-ceo",
        "The Boss <ceo@acme.example>",
        "What do customers say?",
        text("A short list, please.\n"),
        {"extra": [("Cc", "sales@acme.example")]},
    ),
)


def _illustrated() -> Iterator[Sample]:
    for name, sender, subject, part, options in ILLUSTRATED:
        yield mail(name, sender, subject, part, **options)
