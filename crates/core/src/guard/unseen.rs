//! Characters that nobody sees, and other ways to write a common one.

/// Whether a character takes no place on the screen: joiners, direction marks, tags, variation
/// selectors, fillers, controls.
pub(super) const fn is_unseen(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{84}'
        | '\u{86}'..='\u{9F}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}'
        | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The ASCII character that another one is a form of, where shapes are concerned: full width,
/// mathematical letters, digits of other scripts, spaces, dashes, quotes.
pub(super) fn plain(character: char) -> char {
    let code = u32::from(character);
    let letter = |start: u32, offset: u32| char::from_u32(start + offset).unwrap_or(character);
    match character {
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201B}' => '\'',
        '\u{201C}' | '\u{201D}' | '\u{201F}' | '\u{AB}' | '\u{BB}' => '"',
        '\u{FE6B}' => '@',
        '\u{2024}' | '\u{3002}' | '\u{FF61}' => '.',
        '\u{FF01}'..='\u{FF5E}' => letter(0x21, code - 0xFF01),
        '\u{1D400}'..='\u{1D6A3}' => match (code - 0x1D400) % 52 {
            small @ 26.. => letter(u32::from('a'), small - 26),
            capital => letter(u32::from('A'), capital),
        },
        '\u{1D7CE}'..='\u{1D7FF}' => letter(u32::from('0'), (code - 0x1D7CE) % 10),
        '\u{660}'..='\u{669}' => letter(u32::from('0'), code - 0x660),
        '\u{6F0}'..='\u{6F9}' => letter(u32::from('0'), code - 0x6F0),
        '\u{966}'..='\u{96F}' => letter(u32::from('0'), code - 0x966),
        other => other,
    }
}
