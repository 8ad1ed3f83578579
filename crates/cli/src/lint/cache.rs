//! Results kept between runs: the facts of a file by its content, a whole report by all that went into it.
//!
//! An entry is a file named by its key, which covers the linter's build and rules, the path and the content, so nothing
//! is ever out of date and nothing needs to be thrown away but for room. It begins with a digest of the rest: what is
//! cut short, altered or foreign is as if it were not there. A cache that cannot be read or written is no cache.

use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Above this many bytes the oldest entries go, until half of them are left.
const ROOM: u64 = 512 << 20;
const DIGEST: usize = 32;

/// What an entry is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; DIGEST]);

impl Key {
    /// A key over parts, each with its length, so that no two lists of parts are alike.
    pub(super) fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn hex(self) -> String {
        self.0.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }
}

/// A folder of entries.
pub(super) struct Cache {
    folder: PathBuf,
    /// How many entries this run has written; it also tells apart what two threads write.
    written: AtomicU64,
}

impl Cache {
    /// The cache in `folder`, which is made when something is written.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder, written: AtomicU64::new(0) }
    }

    /// An entry's content, if it is whole.
    pub(super) fn get(&self, key: Key) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.place(key)).ok()?;
        let (digest, content) = bytes.split_at_checked(DIGEST)?;
        if Sha256::digest(content).as_slice() != digest {
            return None;
        }
        bytes.drain(..DIGEST);
        Some(bytes)
    }

    /// Writes an entry beside its place and moves it there, so that nobody ever reads half of one.
    pub(super) fn put(&self, key: Key, content: &[u8]) {
        let place = self.place(key);
        let Some(folder) = place.parent() else { return };
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let draft = folder.join(format!(".{}-{number}", std::process::id()));
        let mut bytes = Sha256::digest(content).to_vec();
        bytes.extend_from_slice(content);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&draft, bytes));
        if written.and_then(|()| fs::rename(&draft, &place)).is_err() {
            drop(fs::remove_file(&draft));
        }
    }

    /// Takes the oldest entries away when there is too little room; looks once in some sixteen runs that wrote.
    pub(super) fn tidy(&self, run: Key) {
        let due = run.0.first().is_some_and(|first| *first < 16);
        if due && self.written.load(Ordering::Relaxed) > 0 {
            self.make_room(ROOM);
        }
    }

    fn make_room(&self, room: u64) {
        let mut entries = entries(&self.folder);
        let mut total: u64 = entries.iter().map(|(_, _, size)| size).sum();
        if total <= room {
            return;
        }
        entries.sort();
        for (_, path, size) in entries {
            if total <= room / 2 {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total -= size;
            }
        }
    }

    fn place(&self, key: Key) -> PathBuf {
        let name = key.hex();
        let (folder, rest) = name.split_at(2);
        self.folder.join(folder).join(rest)
    }
}

/// Every entry: when it was written, where it is, how many bytes it has.
fn entries(folder: &Path) -> Vec<(SystemTime, PathBuf, u64)> {
    let list = |at: &Path| fs::read_dir(at).into_iter().flatten().flatten().map(|of| of.path());
    let measured = |path: PathBuf| {
        let about = path.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((about.modified().ok()?, path, about.len()))
    };
    list(folder).flat_map(|shelf| list(&shelf).collect::<Vec<_>>()).filter_map(measured).collect()
}

/// Where the cache lies when nobody says: `tollhouse/lint` in the user's cache folder, if there is one.
pub(super) fn usual_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let base = base.or_else(|| set("LOCALAPPDATA"));
    let base = base.or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(base.join("tollhouse").join("lint"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        (folder, cache)
    }

    fn key(name: &str) -> Key {
        Key::of([name.as_bytes()])
    }

    #[test]
    fn what_was_written_is_read_under_its_own_key_only() {
        let (_folder, cache) = cache();
        assert_eq!(cache.get(key("a")), None);
        cache.put(key("a"), b"facts");
        assert_eq!(cache.get(key("a")).as_deref(), Some(&b"facts"[..]));
        assert_eq!(cache.get(key("b")), None);
    }

    #[test]
    fn an_entry_that_is_cut_altered_or_foreign_is_not_there() {
        let (_folder, cache) = cache();
        cache.put(key("a"), b"facts");
        let whole = fs::read(cache.place(key("a"))).unwrap();
        for length in 0..whole.len() {
            fs::write(cache.place(key("a")), &whole[..length]).unwrap();
            assert_eq!(cache.get(key("a")), None, "cut at {length}");
            let mut altered = whole.clone();
            altered[length] ^= 1;
            fs::write(cache.place(key("a")), altered).unwrap();
            assert_eq!(cache.get(key("a")), None, "altered at {length}");
        }
        fs::write(cache.place(key("a")), b"somebody else's file").unwrap();
        assert_eq!(cache.get(key("a")), None);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_cache() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cache = Cache::at(file.path().to_path_buf());
        cache.put(key("a"), b"facts");
        assert_eq!(cache.get(key("a")), None);
    }

    #[test]
    fn room_is_made_from_the_oldest_on() {
        let (_folder, cache) = cache();
        for (age, name) in [(3, "a"), (2, "b"), (1, "c")] {
            cache.put(key(name), &[0; 68]);
            let file = fs::File::options().write(true).open(cache.place(key(name))).unwrap();
            let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000 - age);
            file.set_modified(then).unwrap();
        }
        cache.make_room(300);
        assert!(cache.get(key("a")).is_some(), "there was room for all");
        cache.make_room(250);
        let left = ["a", "b", "c"].map(|name| cache.get(key(name)).is_some());
        assert_eq!(left, [false, false, true]);
    }

    #[test]
    fn parts_of_a_key_do_not_run_together() {
        let of = |parts: &[&str]| Key::of(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
    }

    #[test]
    fn the_usual_folder_is_the_users_cache_folder() {
        let of = |set: &[(&str, &str)]| {
            let set: Vec<(String, OsString)> =
                set.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            usual_folder(|name| Some(set.iter().find(|(of, _)| of == name)?.1.clone()))
        };
        assert_eq!(of(&[("HOME", "/h")]), Some(PathBuf::from("/h/.cache/tollhouse/lint")));
        let both = [("HOME", "/h"), ("XDG_CACHE_HOME", "/c")];
        assert_eq!(of(&both), Some(PathBuf::from("/c/tollhouse/lint")));
        assert_eq!(of(&[("HOME", "")]), None);
    }
}
