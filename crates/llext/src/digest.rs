//! A number that stands for a row of words: what was saved is compared by it.
//!
//! Each step maps what was so far to something else, one to one: so one changed word always changes the end. It tells a
//! mistake, not an attacker, who could find other words of the same number.

/// The number so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Of no words. The two numbers are those of FNV-1a: <http://www.isthe.com/chongo/tech/comp/fnv/>.
    pub(crate) const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    pub(crate) fn word(self, word: u64) -> Self {
        Self((self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23))
    }

    /// Goes on with bytes, eight at a time and then one by one, and how many they were.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let (mut digest, mut rest) = (self, bytes);
        while let Some((word, after)) = rest.split_first_chunk() {
            (digest, rest) = (digest.word(u64::from_ne_bytes(*word)), after);
        }
        rest.iter().fold(digest, |digest, byte| digest.word(u64::from(*byte))).word(bytes.len() as u64)
    }

    pub(crate) const fn number(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_and_the_length_count() {
        let bytes = [0x5a; 29];
        let digest = |bytes: &[u8]| Digest::NEW.bytes(bytes).number();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(digest(&other), digest(&bytes), "{bit}");
        }
        assert_ne!(digest(&bytes[..28]), digest(&bytes));
        assert_ne!(digest(&[0; 8]), digest(&[0; 16]));
    }
}
