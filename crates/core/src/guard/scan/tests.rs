use std::path::Path;

use super::*;

/// A line of a fixture: its text, and what is found in it.
fn read(line: &str) -> (String, Vec<Found>) {
    let (mut text, mut found) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some((before, marked)) = rest.split_once('«') {
        let (marked, after) = marked.split_once('»').expect(line);
        let (shape, thing) = marked.split_once(':').expect(line);
        text.push_str(before);
        let start = text.len();
        text.push_str(thing);
        let shape = Shape::named(shape).expect(line);
        found.push(Found { shape, place: start..text.len() });
        rest = after;
    }
    text.push_str(rest);
    (text, found)
}

fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/guard/shapes");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn each_fixture_is_found_where_it_is_marked_and_nowhere_else() {
    let mut wrong = Vec::new();
    let lines = fixtures();
    for line in lines.iter().filter(|line| !line.starts_with('#')) {
        let (text, expected) = read(line);
        let found = find(&text, Shapes::ALL);
        if found != expected {
            let shown: Vec<_> = found.iter().map(|f| (f.shape, &text[f.place.clone()])).collect();
            wrong.push(format!("{line}\n    {shown:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(lines.len() > 90);
}
