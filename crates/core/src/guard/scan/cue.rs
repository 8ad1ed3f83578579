//! Words that say what kind of number follows.

/// What a word says about the number after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// `call`, `tel`.
    Phone,
    /// `my`: a number that follows is somebody's.
    Somebody,
    /// `ssn`.
    Ssn,
    /// `card`.
    Card,
    /// `host`, `server`.
    Address,
    /// `version`.
    Version,
    /// `order`, `isbn`: a number of something else.
    Other,
}

/// Whether a word behind a number says that it was one of a telephone.
pub(super) fn ends_phone(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] =
        [b"office", b"fax", b"mobile", b"cell", b"home", b"work", b"phone", b"tel"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// What the word `text`, in small letters, says after `before`; `None` when it says nothing.
pub(super) fn cue(text: &str, before: Option<Cue>) -> Option<Cue> {
    let cue = match text {
        "phone" | "phones" | "telephone" | "tel" | "telefon" | "telefono" | "telefone" | "call"
        | "calling" | "called" | "cell" | "cellphone" | "mobile" | "mobil" | "fax" | "whatsapp"
        | "sms" | "dial" | "hotline" | "handy" | "movil" | "celular" | "contact" | "reach"
        | "desk" | "answering" | "messages" | "texting" | "ring" | "phoned" | "telnr"
        | "landline" | "voicemail" | "tlf" | "handynummer" | "telefonnummer" | "rufnummer"
        | "numero" | "fono" | "cellulare" | "telefoonnummer" | "phone-number" | "phone_number"
        | "phonenumber" | "mobile_number" | "msisdn" => Cue::Phone,
        "my" | "his" | "her" | "their" | "your" | "our" | "meine" | "mi" | "mon" | "mia" => {
            return (before != Some(Cue::Phone)).then_some(Cue::Somebody);
        }
        "number" | "nummer" | "no" | "registered" if before == Some(Cue::Somebody) => Cue::Phone,
        "ssn" | "social" | "ss" | "ssn4" | "taxpayer" => Cue::Ssn,
        "card" | "visa" | "mastercard" | "amex" | "credit" | "debit" | "cc" | "pan"
        | "kreditkarte" | "tarjeta" | "carte" => Cue::Card,
        "ip" | "ips" | "ipv4" | "ipv6" | "host" | "server" | "address" | "addr" | "dns"
        | "ping" | "gateway" | "subnet" | "localhost" | "router" | "nameserver" | "ssh"
        | "client" | "remote" | "login" | "from" => Cue::Address,
        "version" | "versions" | "ver" | "v" | "release" | "released" | "build" | "firmware"
        | "upgrade" | "upgraded" | "update" | "updated" | "section" | "chapter" | "clause"
        | "oid" | "patch" | "driver" | "kernel" | "sdk" | "revision" | "fileversion"
        | "productversion" | "paragraph" | "figure" => Cue::Version,
        "order" | "orders" | "invoice" | "tracking" | "ticket" | "isbn" | "issn" | "doi"
        | "sku" | "serial" | "part" | "item" | "case" | "ref" | "reference" | "id" | "ids"
        | "transaction" | "commit" | "po" | "batch" | "lot" | "flight" | "confirmation"
        | "booking" | "upc" | "ean" | "gtin" | "imei" | "patent" | "arxiv" | "issue" | "bug"
        | "timestamp" | "epoch" | "unix" | "shipment" | "parcel" | "receipt" | "product"
        | "uuid" | "hash" | "checksum" | "population" | "revenue" | "lat" | "lon"
        | "coordinates" | "latitude" | "longitude" | "pid" | "port" | "account" | "acct"
        | "iban" | "vin" | "policy" | "claim" | "quote" | "quantity" | "bytes" | "model" => {
            Cue::Other
        }
        _ => return None,
    };
    Some(cue)
}
