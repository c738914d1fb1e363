//! Symbol link identifiers: a symbol's name as one number, the beginning of its SHA-256.
//!
//! FIPS 180-4, section 6.2; of the digest only the first eight bytes are kept. Everything here can run at compile time.

/// The SLID of a symbol, 64 bits. That of 32 bits is its upper half.
pub const fn slid(name: &[u8]) -> u64 {
    let [high, low, ..] = sha256(name);
    (high as u64) << 32 | low as u64
}

/// The SHA-256 of a message, as the eight words it is computed in.
pub const fn sha256(message: &[u8]) -> [u32; 8] {
    let mut state = START;
    let blocks = (message.len() + 8) / 64 + 1;
    let mut block = 0;
    while block < blocks {
        state = compress(state, schedule(message, block, block + 1 == blocks));
        block += 1;
    }
    state
}

/// The byte of the padded message: the message, a one bit, zeros.
const fn padded(message: &[u8], at: usize) -> u32 {
    if at < message.len() {
        message[at] as u32
    } else if at == message.len() {
        0x80
    } else {
        0
    }
}

/// The 64 words that a block becomes. The last block ends in the message's length, bits.
const fn schedule(message: &[u8], block: usize, last: bool) -> [u32; 64] {
    let mut words = [0; 64];
    let mut t = 0;
    while t < 16 {
        let at = block * 64 + t * 4;
        words[t] = padded(message, at) << 24
            | padded(message, at + 1) << 16
            | padded(message, at + 2) << 8
            | padded(message, at + 3);
        t += 1;
    }
    if last {
        let bits = message.len() as u64 * 8;
        words[14] = (bits >> 32) as u32;
        words[15] = bits as u32;
    }
    while t < 64 {
        let (a, b) = (words[t - 15], words[t - 2]);
        let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
        let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
        words[t] = words[t - 16].wrapping_add(s0).wrapping_add(words[t - 7]).wrapping_add(s1);
        t += 1;
    }
    words
}

const fn compress(state: [u32; 8], words: [u32; 64]) -> [u32; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    let mut t = 0;
    while t < 64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & f ^ !e & g;
        let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(K[t]).wrapping_add(words[t]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = a & b ^ a & c ^ b & c;
        (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
        (d, c, b, a) = (c, b, a, t1.wrapping_add(s0).wrapping_add(majority));
        t += 1;
    }
    let mut after = state;
    let change = [a, b, c, d, e, f, g, h];
    let mut word = 0;
    while word < 8 {
        after[word] = after[word].wrapping_add(change[word]);
        word += 1;
    }
    after
}

/// The first 32 bits of the fractional parts of the square roots of the first eight primes.
const START: [u32; 8] = roots(2);

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const K: [u32; 64] = roots(3);

/// The first 32 bits of the fractional parts of the roots of this degree of the first `N` primes.
const fn roots<const N: usize>(degree: u32) -> [u32; N] {
    let mut roots = [0; N];
    let (mut prime, mut found) = (2, 0);
    while found < N {
        if is_prime(prime) {
            roots[found] = fraction(prime, degree);
            found += 1;
        }
        prime += 1;
    }
    roots
}

const fn is_prime(number: u128) -> bool {
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number % divisor == 0 {
            return false;
        }
        divisor += 1;
    }
    true
}

/// The first 32 bits behind the point of a number's root: the greatest `root` whose power is at most the number, both
/// scaled, found bit by bit.
const fn fraction(number: u128, degree: u32) -> u32 {
    let scaled = number << (32 * degree);
    let (mut root, mut bit) = (0_u128, 1 << 37);
    while bit > 0 {
        if (root | bit).pow(degree) <= scaled {
            root |= bit;
        }
        bit >>= 1;
    }
    root as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of LLEXT's documentation.
    #[test]
    fn slids_are_llext_s() {
        assert_eq!(slid(b"printk"), 0x87b3_1052_6882_7052);
        assert_eq!(slid(b"z_impl_ext_syscall_fail"), 0xd58b_c0e7_c64c_d965);
    }

    /// The examples of FIPS 180-4, and lengths around a block's end.
    #[test]
    fn digests_are_those_of_the_standard() {
        let empty =
            [0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924, 0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855];
        assert_eq!(sha256(b""), empty);
        let abc =
            [0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad];
        assert_eq!(sha256(b"abc"), abc);
        let two =
            [0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039, 0xa33ce459, 0x64ff2167, 0xf6ecedd4, 0x19db06c1];
        assert_eq!(sha256(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), two);
    }
}
