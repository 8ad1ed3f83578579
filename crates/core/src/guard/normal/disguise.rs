//! Look-alikes of Latin letters, put back where they are passed off as such.

use unicode_normalization::char::is_combining_mark;

use super::glyph::Glyph;

/// Takes look-alikes and marks off words that are meant to be read as Latin ones.
///
/// A word of another script stays as it is: only one that holds Latin letters too, or stands in a
/// text that is mostly Latin, is a disguise.
pub(super) fn take_off(glyphs: &mut Vec<Glyph>) {
    if glyphs.iter().all(|glyph| glyph.character.is_ascii()) {
        return;
    }
    let latin = glyphs.iter().filter(|glyph| glyph.character.is_ascii_alphabetic()).count();
    let letters = glyphs.iter().filter(|glyph| glyph.character.is_alphabetic()).count();
    let mostly_latin = latin * 2 > letters;
    for word in glyphs.chunk_by_mut(|a, b| in_word(a.character) && in_word(b.character)) {
        let mixed = word.iter().any(|glyph| glyph.character.is_ascii_alphabetic());
        let all = word.iter().all(|glyph| twin(glyph.character).is_some());
        for glyph in word.iter_mut() {
            let shown = always(glyph.character)
                .or_else(|| twin(glyph.character).filter(|_| mixed || (all && mostly_latin)));
            glyph.character = shown.unwrap_or(glyph.character);
        }
    }
    // Marks that did not compose stand on letters that no language puts them on.
    let mut before = ' ';
    glyphs.retain(|glyph| {
        let stray = is_combining_mark(glyph.character) && before.is_ascii_alphanumeric();
        if !stray {
            before = glyph.character;
        }
        !stray
    });
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || is_combining_mark(character)
}

/// The letter that a small capital, a letter in a circle or square, or an upturned one stands for.
fn always(character: char) -> Option<char> {
    let code = u32::from(character);
    let letter = |start: u32| char::from_u32(u32::from('A') + code - start);
    match character {
        '\u{1F130}'..='\u{1F149}' => letter(0x1F130),
        '\u{1F150}'..='\u{1F169}' => letter(0x1F150),
        '\u{1F170}'..='\u{1F189}' => letter(0x1F170),
        '\u{1F1E6}'..='\u{1F1FF}' => letter(0x1F1E6),
        _ => find(&SMALL_CAPITALS, character),
    }
}

/// The Latin letter that a letter of another script looks like.
fn twin(character: char) -> Option<char> {
    if character.is_ascii() { None } else { find(&TWINS, character) }
}

fn find(table: &[(char, char)], character: char) -> Option<char> {
    let at = table.binary_search_by_key(&character, |(twin, _)| *twin).ok()?;
    table.get(at).map(|(_, letter)| *letter)
}

/// Small capitals of phonetic alphabets, in order.
#[rustfmt::skip]
const SMALL_CAPITALS: [(char, char); 26] = [
    ('\u{262}', 'g'), ('\u{26A}', 'i'), ('\u{274}', 'n'), ('\u{280}', 'r'), ('\u{28F}', 'y'), ('\u{299}', 'b'), ('\u{29C}', 'h'),
    ('\u{29F}', 'l'), ('\u{1D00}', 'a'), ('\u{1D04}', 'c'), ('\u{1D05}', 'd'), ('\u{1D07}', 'e'), ('\u{1D09}', 'i'), ('\u{1D0A}', 'j'), ('\u{1D0B}', 'k'),
    ('\u{1D0D}', 'm'), ('\u{1D0F}', 'o'), ('\u{1D18}', 'p'), ('\u{1D1B}', 't'), ('\u{1D1C}', 'u'), ('\u{1D20}', 'v'),
    ('\u{1D21}', 'w'), ('\u{1D22}', 'z'), ('\u{A730}', 'f'), ('\u{A731}', 's'), ('\u{A7AF}', 'q'),
];

/// Letters of Greek, Cyrillic, Armenian, Cherokee, Lisu and rare Latin that look like others, in
/// order (after Unicode's confusables, UTS #39).
#[rustfmt::skip]
const TWINS: [(char, char); 118] = [
    ('ø', 'o'), ('ı', 'i'), ('ſ', 's'), ('ƅ', 'b'), ('ƒ', 'f'), ('ƨ', 's'), ('ɑ', 'a'), ('ɡ', 'g'), ('ɩ', 'i'), ('ʋ', 'v'), ('ʏ', 'y'),
    ('Α', 'A'), ('Β', 'B'), ('Ε', 'E'), ('Ζ', 'Z'), ('Η', 'H'), ('Ι', 'I'), ('Κ', 'K'), ('Μ', 'M'), ('Ν', 'N'), ('Ο', 'O'), ('Ρ', 'P'),
    ('Τ', 'T'), ('Υ', 'Y'), ('Χ', 'X'), ('α', 'a'), ('γ', 'y'), ('ε', 'e'), ('ι', 'i'), ('κ', 'k'), ('ν', 'v'), ('ο', 'o'), ('ρ', 'p'), ('σ', 'o'),
    ('τ', 't'), ('υ', 'u'), ('χ', 'x'), ('ω', 'w'), ('ϲ', 'c'), ('ϳ', 'j'), ('Ѕ', 'S'), ('І', 'I'), ('Ј', 'J'), ('А', 'A'), ('В', 'B'), ('Е', 'E'),
    ('З', '3'), ('К', 'K'), ('М', 'M'), ('Н', 'H'), ('О', 'O'), ('Р', 'P'), ('С', 'C'), ('Т', 'T'), ('У', 'Y'), ('Х', 'X'), ('Ь', 'b'), ('а', 'a'),
    ('в', 'b'), ('г', 'r'), ('е', 'e'), ('к', 'k'), ('м', 'm'), ('н', 'h'), ('о', 'o'), ('п', 'n'), ('р', 'p'), ('с', 'c'), ('т', 't'), ('у', 'y'),
    ('х', 'x'), ('ь', 'b'), ('ѕ', 's'), ('і', 'i'), ('ї', 'i'), ('ј', 'j'), ('ѡ', 'w'), ('ѵ', 'v'), ('ү', 'y'), ('һ', 'h'), ('ӏ', 'l'), ('ԁ', 'd'), ('ԛ', 'q'), ('ԝ', 'w'),
    ('Ս', 'U'), ('Օ', 'O'), ('ա', 'w'), ('գ', 'q'), ('զ', 'q'), ('հ', 'h'), ('ո', 'n'), ('ս', 'u'), ('ց', 'g'), ('ք', 'f'), ('օ', 'o'), ('Ꭰ', 'D'), ('Ꭱ', 'R'),
    ('Ꭲ', 'T'), ('Ꭵ', 'i'), ('Ꭺ', 'A'), ('Ꭻ', 'J'), ('Ꭼ', 'E'), ('Ꮃ', 'W'), ('Ꮇ', 'M'), ('Ꮋ', 'H'), ('Ꮍ', 'Y'), ('Ꮐ', 'G'), ('Ꮢ', 'R'), ('Ꮤ', 'W'), ('Ꮥ', 'S'), ('Ꮩ', 'V'),
    ('Ꮪ', 'S'), ('Ꮮ', 'L'), ('Ꮯ', 'C'), ('Ꮲ', 'P'), ('Ꮶ', 'K'), ('Ꮷ', 'd'), ('Ꮾ', '6'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order() {
        assert!(SMALL_CAPITALS.is_sorted_by(|a, b| a.0 < b.0));
        let wrong = TWINS.windows(2).find(|pair| pair[0].0 >= pair[1].0);
        assert_eq!(wrong, None);
    }
}
