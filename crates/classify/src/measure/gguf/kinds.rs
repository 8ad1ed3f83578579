//! How many bytes numbers take, by ggml's types.

/// Type, numbers in a block, bytes of a block: ggml's `type_traits`. Types 4 and 5 and 31 to 33 and 36 to
/// 38 were removed from the format.
const KINDS: &[(u32, u64, u64)] = &[
    (0, 1, 4),     // F32
    (1, 1, 2),     // F16
    (2, 32, 18),   // Q4_0
    (3, 32, 20),   // Q4_1
    (6, 32, 22),   // Q5_0
    (7, 32, 24),   // Q5_1
    (8, 32, 34),   // Q8_0
    (9, 32, 36),   // Q8_1
    (10, 256, 84), // Q2_K
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210), // Q6_K
    (15, 256, 292), // Q8_K
    (16, 256, 66),  // IQ2_XXS
    (17, 256, 74),
    (18, 256, 98),
    (19, 256, 50),
    (20, 32, 18), // IQ4_NL
    (21, 256, 110),
    (22, 256, 82),
    (23, 256, 136),
    (24, 1, 1), // I8
    (25, 1, 2),
    (26, 1, 4),
    (27, 1, 8),
    (28, 1, 8), // F64
    (29, 256, 56),
    (30, 1, 2), // BF16
    (34, 256, 54),
    (35, 256, 66),
    (39, 32, 17), // MXFP4
];

/// Bytes of `volume` numbers; `None` for an unknown type.
pub(super) fn bytes_of(kind: u32, volume: u64) -> Option<u64> {
    let (_, block, bytes) = KINDS.iter().find(|(known, ..)| *known == kind)?;
    Some(volume.div_ceil(*block).saturating_mul(*bytes))
}
