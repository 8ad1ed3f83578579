//! The format's hash: FNV-1a's step over 32-bit items, and murmur3's finaliser where a bucket is chosen.

/// Where the hash of a token starts.
pub(crate) const START: u32 = 0x811c_9dc5;

/// Takes one more item in: a code point, or the hash of a token.
pub(crate) const fn mix(hash: u32, item: u32) -> u32 {
    (hash ^ item).wrapping_mul(0x0100_0193)
}

/// Spreads a hash over all its bits, so that the low ones can choose a bucket.
pub(crate) const fn finish(hash: u32) -> u32 {
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The hash of a sequence, from `start` on.
pub(crate) fn hash(start: u32, items: &[u32]) -> u32 {
    items.iter().fold(start, |hash, item| mix(hash, *item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_hashes_as_fnv_1a_does() {
        // Published FNV-1a test vectors: "" , "a", "foobar".
        assert_eq!(hash(START, &[]), 0x811c_9dc5);
        assert_eq!(hash(START, &[0x61]), 0xe40c_292c);
        let foobar: Vec<u32> = "foobar".chars().map(u32::from).collect();
        assert_eq!(hash(START, &foobar), 0xbf9c_f968);
    }

    #[test]
    fn the_finaliser_is_murmurs() {
        // MurmurHash3_x86_32 of nothing with seed 1 is its finaliser of 1.
        assert_eq!(finish(1), 0x514e_28b7);
        assert_eq!(finish(0), 0);
    }
}
