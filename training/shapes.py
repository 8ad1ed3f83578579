"""Writes texts with secrets and personal data of each shape that the scanners know, and texts with near misses.

    pip install faker==40.54.0 phonenumbers==9.0.43
    python shapes.py --seed 11 > texts.jsonl
    cargo run --release --package tollhouse-core --example shapes texts.jsonl

One object a line: `text`, and `spans`, each with `shape`, `start` and `end` in code points. Values are Faker's, or random
within the shape their issuer documents; none is real. A near miss is what a careless scanner takes for a secret: a number
that fails its checksum, a version, a digest, an order, a placeholder.
"""

import argparse
import base64
import json
import random
import string
import sys
import uuid

import phonenumbers
from faker import Faker

EACH = 300
NEAR_MISSES = 4000
LOCALES = ["en_US", "en_GB", "de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL", "pl_PL", "sv_SE"]
REGIONS = "US GB DE FR IT ES NL IN AU BR JP CN MX SE PL CH ZA KR TR AT".split()
PEMS = ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "DSA PRIVATE KEY"]

CONTEXTS = {
    "email": ["Contact {} for details", "My email is {}.", "From: {}", "<{}>", "{}", "Please cc {} and reply", "user={};", "mailto:{}", "(e-mail {})", "E-Mail-Adresse: {}, danke"],
    "phone": ["Call me at {}", "My phone number is {}.", "Tel: {}", "phone={}", "You can reach me on {} after 5", "Telefon: {}", "Mobile {}", "{} is my cell", "Fax: {}, thanks", "WhatsApp {}", "contact number {}", "Please ring {}!"],
    "card": ["My card number is {}", "Pay with {} please", "{}", "card: {} exp 09/27 cvv 123", "charge {} now", "Visa {}.", '"pan": "{}"', "credit card {}, billing zip 94107"],
    "iban": ["Transfer to {}", "IBAN: {}", "{}", "my bank account is {}.", "Bitte auf {} überweisen", "iban={}", "(IBAN {})"],
    "ssn": ["My SSN is {}", "SSN: {}", "social security number {}", "{}", "his ssn ({})", "ssn={};"],
    "ip": ["connect to {}", "server at {} is down", "IP: {}", "{}", "from {} port 22", "ping {}.", "client {} denied", "src={} dst=x", "Address {}"],
    "jwt": ["Authorization: Bearer {}", "token={}", "{}", "my jwt is {} ok", "cookie: session={};"],
    "private-key": ["{}", "here is my key:\n{}\nthanks", 'key = """{}"""'],
    "credentials": ["postgres://{}@db.example.com:5432/app", "https://{}@example.com/path", "redis://{}@cache.local:6379/0", "mongodb+srv://{}@cluster0.mongodb.net", "git clone https://{}@github.com/o/r.git", "amqp://{}@mq:5672"],
    "api-key": ["OPENAI_API_KEY={}", "my key is {}", "{}", 'api_key: "{}"', "export TOKEN={}", "Use {} to call it.", "key='{}',", "curl -H 'x-api-key: {}'"],
    "secret": ["api_key = {}", 'secret: "{}"', "access_token='{}'", "client_secret={}", "API_KEY={}", "auth_token: {}", '"private_key": "{}"', 'db_secret = "{}"'],
}
FIXED_MISSES = """version 1.2.3.4|v10.4.2.1|release 2.14.0.7|Chrome/120.0.6099.109|nginx-1.25.3.1|build 10.0.19045.3803|pkg@1.2.3|1.2.3-rc.1
ISBN 978-3-16-148410-0|300.1.2.3|2024-05-17T12:30:45Z|at 12:30:45 on 17.05.2024|aa:bb:cc:dd:ee:ff|std::vector<int> and foo::bar|MAC 00:1B:44:11:3A:B7
user@localhost|@handle|git@github.com:org/repo.git|logo@2x.png|react@18.2.0|a @ b.com|https://example.com/@user/post|https://github.com/o/r|https://host.example.com:8443/a
sk-learn pipeline|task-force|AKIA|ghp_short|eyJhbGciOiJub25lIn0|password: required|password = os.environ["DB_PASSWORD"]|api_key = YOUR_API_KEY|api_key=<your-api-key>
token = getToken()|the secret is out|max_tokens=4096|pi is 3.14159265358979|score 100-98, 102-97|pages 100-200, 1998-2004|section 4.2.1.3
-----BEGIN PUBLIC KEY-----\\nMIIB\\n-----END PUBLIC KEY-----|-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----"""


class Maker:
    """Values of each shape, from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        Faker.seed(seed)
        self.fakers = [Faker(locale) for locale in LOCALES]

    def letters(self, alphabet: str, length: int) -> str:
        return "".join(self.random.choices(alphabet, k=length))

    def base62(self, length: int) -> str:
        return self.letters(string.ascii_letters + string.digits, length)

    def base64url(self, length: int) -> str:
        return self.letters(string.ascii_letters + string.digits + "-_", length)

    def hexes(self, length: int) -> str:
        return self.letters("0123456789abcdef", length)

    def digits(self, length: int) -> str:
        return self.letters(string.digits, length)

    def grouped(self, text: str, mark: str) -> str:
        return mark.join(text[at : at + 4] for at in range(0, len(text), 4))

    def email(self) -> str:
        faker = self.random.choice(self.fakers)
        tagged = f"{self.base62(5)}.{self.base62(4)}+{self.base62(3)}@{faker.domain_name()}"
        return self.random.choice([faker.email(), faker.ascii_company_email(), tagged])

    def phone(self) -> str:
        number = phonenumbers.example_number_for_type(self.random.choice(REGIONS), self.random.choice([0, 1]))
        for _ in range(20):
            national = int(str(number.national_number)[:-4] + self.digits(4))
            other = phonenumbers.PhoneNumber(number.country_code, national, italian_leading_zero=number.italian_leading_zero)
            if phonenumbers.is_valid_number(other):
                number = other
                break
        formats = phonenumbers.PhoneNumberFormat
        return phonenumbers.format_number(number, self.random.choice([formats.INTERNATIONAL] * 3 + [formats.E164] * 2 + [formats.NATIONAL] * 2))

    def card(self) -> str:
        number = self.fakers[0].credit_card_number(self.random.choice(["visa16", "visa16", "mastercard", "amex", "discover", "diners", "jcb16"]))
        if len(number) == 15:
            return self.random.choice([number, f"{number[:4]} {number[4:10]} {number[10:]}"])
        return self.grouped(number, self.random.choice(["", "", " ", "-"])) if len(number) == 16 else number

    def iban(self) -> str:
        return self.grouped(self.random.choice(self.fakers[1:7]).iban(), self.random.choice(["", " "]))

    def ssn(self) -> str:
        area = self.random.choice([area for area in range(1, 900) if area != 666])
        return f"{area:03}-{self.random.randrange(1, 100):02}-{self.random.randrange(1, 10_000):04}"

    def ip(self) -> str:
        faker = self.fakers[0]
        return self.random.choice([faker.ipv4_private, faker.ipv4_public, faker.ipv6])()

    def jwt(self) -> str:
        def part(value: dict) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        head = part({"alg": self.random.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"})
        return f"{head}.{part({'sub': self.hexes(8), 'iat': int(self.digits(9)), 'name': self.fakers[0].name()})}.{self.base64url(43)}"

    def private_key(self) -> str:
        kind = self.random.choice(PEMS)
        lines = [self.base62(64) for _ in range(self.random.randrange(3, 14))]
        return "\n".join([f"-----BEGIN {kind}-----", *lines, self.base62(20) + "==", f"-----END {kind}-----"])

    def credentials(self) -> str:
        return f"{self.fakers[0].user_name()}:{self.fakers[0].password(length=self.random.randrange(8, 16), special_chars=False)}"

    def api_key(self) -> str:
        return self.random.choice([
            lambda: "sk-" + self.base62(48),
            lambda: "sk-proj-" + self.base64url(self.random.choice([48, 64, 120, 156])),
            lambda: "sk-ant-api03-" + self.base64url(93) + "AA",
            lambda: "AKIA" + self.letters(string.ascii_uppercase + "234567", 16),
            lambda: self.random.choice(["ghp_", "gho_", "ghs_"]) + self.base62(36),
            lambda: f"github_pat_{self.base62(22)}_{self.base62(59)}",
            lambda: "glpat-" + self.base64url(20),
            lambda: f"xoxb-{self.digits(12)}-{self.digits(13)}-{self.base62(24)}",
            lambda: f"xoxp-{self.digits(12)}-{self.digits(12)}-{self.digits(12)}-{self.hexes(32)}",
            lambda: self.random.choice(["sk_live_", "sk_test_", "rk_live_"]) + self.base62(24),
            lambda: "AIza" + self.base64url(35),
            lambda: "hf_" + self.base62(34),
            lambda: f"SG.{self.base64url(22)}.{self.base64url(43)}",
            lambda: "npm_" + self.base62(36),
            lambda: "pypi-AgEIcHlwaS5vcmc" + self.base64url(100),
            lambda: "gsk_" + self.base62(52),
            lambda: "xai-" + self.base62(80),
            lambda: "r8_" + self.base62(37),
            lambda: "dop_v1_" + self.hexes(64),
            lambda: "shpat_" + self.hexes(32),
        ])()

    def secret(self) -> str:
        encoded = base64.b64encode(self.random.randbytes(30)).decode()
        return self.random.choice([self.base62(32), self.hexes(32), self.base62(40), encoded, self.hexes(40)])

    def false_card(self) -> str:
        while True:
            number = self.random.choice("456") + self.digits(15)
            doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
            if sum(sum(divmod(digit, 10)) for digit in doubled) % 10:
                return number

    def false_iban(self) -> str:
        iban = self.iban()
        return iban[:-1] + str((int(iban[-1]) + 1) % 10 if iban[-1].isdigit() else 5)

    def near_miss(self) -> str:
        number = self.digits
        return self.random.choice([
            self.false_card,
            lambda: self.grouped(self.false_card(), " "),
            lambda: "IBAN " + self.false_iban(),
            lambda: self.random.choice(FIXED_MISSES.replace("\n", "|").split("|")).replace("\\n", "\n"),
            lambda: self.random.choice(FIXED_MISSES.replace("\n", "|").split("|")).replace("\\n", "\n"),
            lambda: str(uuid.UUID(int=self.random.getrandbits(128))),
            lambda: self.random.choice(["commit ", ""]) + self.hexes(self.random.choice([7, 40])),
            lambda: "sha256:" + self.hexes(64),
            lambda: self.random.choice(["order #", "Order number ", "ID: ", "ticket ", "student id ", "population "]) + self.random.choice("123456789") + number(8),
            lambda: f"order {number(3)}-{number(7)}-{number(7)}",
            lambda: f"invoice INV-20{number(2)}-{number(6)}",
            lambda: "tracking 1Z" + self.base62(16).upper(),
            lambda: f"{self.random.choice(['000', '666', '9' + number(2)])}-{number(2)}-{number(4)}",
            lambda: f"256.{self.random.randrange(256)}.1.1",
            lambda: "17" + number(self.random.choice([8, 11])),
            lambda: "sk-" + self.base62(4),
            lambda: f"lat {self.random.uniform(-90, 90):.6f}, lon {self.random.uniform(-180, 180):.6f}",
            lambda: f"${self.random.randrange(1000, 10**7):,}.00",
            lambda: f"ZIP {number(5)}-{number(4)}",
            lambda: f"part no. {number(3)}-{number(2)}-{number(3)}, SKU {self.base62(4).upper()}-{number(5)}",
            lambda: f"arn:aws:iam::{number(12)}:role/x",
            lambda: f"{self.random.randrange(1, 10)}.{self.random.randrange(20)}.{self.random.randrange(20)}",
            lambda: self.fakers[2].sentence(),
        ])()

    def sentence(self) -> str:
        return self.fakers[0].sentence()

    def texts(self):
        """Every text with its spans."""
        for shape, contexts in CONTEXTS.items():
            make = getattr(self, shape.replace("-", "_"))
            for _ in range(EACH):
                value, context = make(), self.random.choice(contexts)
                before = self.sentence() + " " if self.random.random() < 0.3 else ""
                after = self.random.choice([" ", "\n", ", ", ". "]) + self.sentence() if self.random.random() < 0.3 else ""
                start = len(before) + context.index("{}")
                text = before + context.replace("{}", value) + after
                yield {"text": text, "spans": [{"shape": shape, "start": start, "end": start + len(value)}]}
        for _ in range(NEAR_MISSES):
            text = self.near_miss()
            if self.random.random() < 0.5:
                text = f"{self.sentence()} {text} {self.sentence()}"
            yield {"text": text, "spans": []}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=11)
    for row in Maker(parser.parse_args().seed).texts():
        json.dump(row, sys.stdout, ensure_ascii=False)
        print()


if __name__ == "__main__":
    main()
