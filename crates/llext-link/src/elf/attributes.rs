//! Build attributes: what a compiler says of an object beside its header, as numbers under tags.
//!
//! <https://github.com/ARM-software/abi-aa/blob/main/addenda32/addenda32.rst>, section "Encoding", which riscv shares.

use super::Format;

/// Of all sections, the attributes of the whole file.
const TAG_FILE: u32 = 1;

/// What is left of the bytes.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn word<F: Format>(&mut self) -> Option<u32> {
        let bytes = *self.take(4)?.first_chunk()?;
        Some(if F::DATA == 1 { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// A block whose length in bytes, with what was read of it before, is its next word.
    fn block<F: Format>(&mut self, before: usize) -> Option<Self> {
        let len = (self.word::<F>()? as usize).checked_sub(before + 4)?;
        self.take(len).map(Self)
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let len = self.0.iter().position(|byte| *byte == 0)?;
        let string = self.take(len)?;
        self.take(1)?;
        Some(string)
    }

    /// A number of seven bits a byte; what does not fit 32 bits is lost.
    fn uleb(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in (0u32..).step_by(7) {
            let &[byte] = self.take(1)? else { return None };
            value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some(value)
    }
}

/// The value of `tag` in the attributes that `vendor` defines; 0, as for every attribute, where it is not given.
pub fn attribute<F: Format>(section: &[u8], vendor: &[u8], tag: u32) -> u32 {
    let mut all = Cursor(section);
    if all.take(1) != Some(b"A") {
        return 0;
    }
    while let Some(mut block) = all.block::<F>(0) {
        if block.string() != Some(vendor) {
            continue;
        }
        while let Some(kind) = block.uleb() {
            let Some(attributes) = block.block::<F>(1) else { break };
            if let Some(value) = in_file(attributes, tag).filter(|_| kind == TAG_FILE) {
                return value;
            }
        }
    }
    0
}

fn in_file(mut attributes: Cursor<'_>, tag: u32) -> Option<u32> {
    loop {
        let found = attributes.uleb()?;
        // Tags say how their values are written: CPU_raw_name, CPU_name, compatibility, then even and odd.
        let (has_number, has_string) = match found {
            4 | 5 => (false, true),
            32 => (true, true),
            ..32 => (true, false),
            _ => (found % 2 == 0, found % 2 == 1),
        };
        let value = if has_number { attributes.uleb()? } else { 0 };
        if has_string {
            attributes.string()?;
        }
        if found == tag {
            return Some(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::{Elf32Be, Elf32Le};

    /// `arm-none-eabi-gcc -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16`.
    const M4F: &[u8] = b"A\x33\0\0\0aeabi\0\x01\x29\0\0\0\x057E-M\0\x06\x0d\x07M\x09\x02\x0a\x06\x12\x04\x14\x01\x15\x01\x17\x03\x18\x01\x19\x01\x1a\x01\x1b\x01\x1c\x01\x1e\x02\x22\x01";

    #[test]
    fn attributes_are_found_by_their_tags() {
        for (tag, value) in [(6, 13), (7, u32::from(b'M')), (9, 2), (28, 1), (34, 1), (8, 0), (33, 0)] {
            assert_eq!(attribute::<Elf32Le>(M4F, b"aeabi", tag), value, "{tag}");
        }
        assert_eq!(attribute::<Elf32Le>(M4F, b"riscv", 6), 0);
        assert_eq!(attribute::<Elf32Be>(M4F, b"aeabi", 6), 0);
    }

    #[test]
    fn what_is_cut_or_damaged_says_nothing() {
        for len in 0..M4F.len() {
            assert!([0, 13].contains(&attribute::<Elf32Le>(&M4F[..len], b"aeabi", 6)));
        }
        let mut bytes = [0; 64];
        bytes[..M4F.len()].copy_from_slice(M4F);
        for at in 0..M4F.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                bytes[at] = value;
                attribute::<Elf32Le>(&bytes, b"aeabi", 200);
                bytes[at] = M4F[at];
            }
        }
    }

    #[test]
    fn other_vendors_and_sections_are_passed_over() {
        let bytes = b"A\x0f\0\0\0gnu\0\x01\x07\0\0\0\x06\x01\x18\0\0\0aeabi\0\x02\x07\0\0\0\x06\x02\x01\x07\0\0\0\x06\x03";
        assert_eq!(attribute::<Elf32Le>(bytes, b"aeabi", 6), 3);
    }
}
