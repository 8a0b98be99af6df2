//! CRC-32C, by which it is seen that records are damaged: the polynomial of Castagnoli as RFC 3720, appendix B.4, has
//! it, a byte at a time.

/// The polynomial, its lowest power first.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// What each byte does to a remainder.
const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let mut remainder = byte;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1;
            remainder >>= 1;
            if carry == 1 {
                remainder ^= POLYNOMIAL;
            }
            bit += 1;
        }
        table[byte as usize] = remainder;
        byte += 1;
    }
    table
}

pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    let step = |remainder: u32, byte: &u8| {
        let [lowest, ..] = remainder.to_le_bytes();
        (remainder >> 8) ^ TABLE[usize::from(lowest ^ byte)]
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3720, and the check value that catalogues of CRCs have.
    #[test]
    fn the_examples_of_the_standard_have_the_checksums_that_it_gives() {
        let up: Vec<u8> = (0..32).collect();
        let down: Vec<u8> = (0..32).rev().collect();
        for (bytes, expected) in [
            (&[0; 32][..], 0x8A91_36AA),
            (&[0xff; 32], 0x62A8_AB43),
            (&up, 0x46DD_794E),
            (&down, 0x113F_DB5C),
            (b"123456789", 0xE306_9283),
            (b"", 0),
        ] {
            assert_eq!(crc32c(bytes), expected, "{bytes:?}");
        }
    }
}
