//! One set of tests for every row of every architecture.

extern crate std;

use super::*;
use object::elf;

fn rows() -> impl Iterator<Item = (&'static Arch, &'static Howto)> {
    all().flat_map(|arch| arch.howtos.iter().map(move |howto| (arch, howto)))
}

/// Names that the independent list has from older editions, and what the psABIs call them now.
const OLD: [(&str, &str); 8] = [
    ("R_ARM_PC13", "R_ARM_LDR_PC_G0"),
    ("R_ARM_THM_PC22", "R_ARM_THM_CALL"),
    ("R_ARM_SWI24", "R_ARM_TLS_DESC"),
    ("R_ARM_GOTOFF", "R_ARM_GOTOFF32"),
    ("R_ARM_GOTPC", "R_ARM_BASE_PREL"),
    ("R_ARM_GOT32", "R_ARM_GOT_BREL"),
    ("R_ARM_THM_PC11", "R_ARM_THM_JUMP11"),
    ("R_ARM_THM_PC9", "R_ARM_THM_JUMP8"),
];

/// Names that it does not have yet, as aaelf32 gives them.
const NEW: [(u16, &str); 7] = [
    (132, "R_ARM_THM_ALU_ABS_G0_NC"),
    (133, "R_ARM_THM_ALU_ABS_G1_NC"),
    (134, "R_ARM_THM_ALU_ABS_G2_NC"),
    (135, "R_ARM_THM_ALU_ABS_G3"),
    (136, "R_ARM_THM_BF16"),
    (137, "R_ARM_THM_BF12"),
    (138, "R_ARM_THM_BF18"),
];

#[test]
fn rows_are_sorted_and_named_as_in_the_psabi() {
    for arch in all() {
        assert!(arch.howtos.windows(2).all(|two| two[0].r_type < two[1].r_type), "{}", arch.name);
        let (_, names) = names(arch.machine).unwrap();
        let independent = match arch.machine {
            3 => &elf::NAMES_R_386,
            4 => &elf::NAMES_R_68K,
            40 => &elf::NAMES_R_ARM,
            62 => &elf::NAMES_R_X86_64,
            94 => &elf::NAMES_R_XTENSA,
            183 => &elf::NAMES_R_AARCH64,
            243 => &elf::NAMES_R_RISCV,
            other => panic!("no independent list of names for machine {other}"),
        };
        for (number, name) in names.iter().filter(|row| arch.machine != 40 || !NEW.contains(row)) {
            let known = independent.name(elf::RelocationType(u32::from(*number)));
            let known = OLD.iter().find(|(old, _)| known == Some(*old)).map_or(known, |(_, new)| Some(*new));
            assert_eq!(known, Some(*name), "{number}");
        }
        let named = |howto: &Howto| names.iter().any(|(number, _)| *number == howto.r_type);
        assert!(arch.howtos.iter().all(named), "{}", arch.name);
    }
}

#[test]
fn architectures_are_told_apart_by_machine_and_class() {
    for arch in all() {
        let same = all().find(|other| other.machine == arch.machine && other.format == arch.format);
        assert_eq!(same.unwrap().name, arch.name);
        assert!(arch.veneers.iter().all(|veneer| veneer.code.len() == arch.stub_len()), "{}", arch.name);
    }
}

/// What is put is what is got, for the values that the field can hold and for bits that it cannot; the others stay as they
/// were.
#[test]
fn fields_round_trip() {
    let mut seen = std::collections::BTreeSet::new();
    for (arch, howto) in rows() {
        let (Field::Code(code) | Field::Upper(code)) = howto.field else { continue };
        if seen.insert(core::ptr::from_ref(code)) {
            round_trips(code, &std::format!("{} {}", arch.name, howto.r_type));
        }
    }
    assert!(seen.len() > 40, "only {}", seen.len());
}

fn round_trips(code: &Code, what: &str) {
    let written = |value: i64| {
        let (mut zeros, mut ones) = ([0; 8], [0xff; 8]);
        (code.put)(&mut zeros, value);
        (code.put)(&mut ones, value);
        [zeros, ones].map(u64::from_le_bytes)
    };
    let bits = (0..63).map(|bit| 1i64 << bit);
    let taken = bits.clone().filter(|value| written(*value) != written(0)).fold(0, |all, bit| all | bit);
    assert_ne!(taken, 0, "{what}");
    let (top, low) = (64 - taken.leading_zeros(), taken.trailing_zeros());
    let equal = |a: i64, b: i64, bits: u32| (a ^ b) << (64 - bits) == 0;
    for value in subsets(taken).chain(bits) {
        let [zeros, ones] = written(value);
        assert_eq!(zeros & !ones, 0, "{what}: a bit is inverted");
        assert_eq!(zeros.checked_shr(8 * u32::from(code.len)).unwrap_or(0), 0, "{what}");
        let expected = value & taken;
        for bytes in [zeros, ones].map(u64::to_le_bytes) {
            let got = (code.get)(&bytes);
            // Where several instructions share an addend, none of them shifts it.
            let right = equal(got, expected, top) || equal(got, expected >> low, top - low);
            assert!(right, "{what}: {got:#x} instead of {value:#x}");
        }
    }
}

/// Every value of these bits and no others; of wide fields a million that are spread over them, and a few thousand where
/// code is not optimised.
fn subsets(bits: i64) -> impl Iterator<Item = i64> {
    let lowest = bits & bits.wrapping_neg();
    let (count, most) = (1u64 << bits.count_ones(), if cfg!(debug_assertions) { 1 << 12 } else { 1 << 20 });
    let step = if count > most { lowest | bits & 0x1e37_79b9_7f4a_7c15 } else { lowest };
    // The carry passes through the other bits, all set for that.
    let next = move |value: &i64| Some((value | !bits).wrapping_add(step) & bits);
    core::iter::successors(Some(0), next).take(count.min(most) as usize)
}

#[test]
fn checks_end_at_their_edges() {
    let held = |check: Check, values: [i64; 2]| values.iter().all(|value| check.holds(*value));
    assert!(held(Check::Signed(32), [i32::MIN.into(), i32::MAX.into()]));
    assert!(!Check::Signed(32).holds(i64::from(i32::MAX) + 1));
    assert!(!Check::Signed(32).holds(i64::from(i32::MIN) - 1));
    assert!(held(Check::Unsigned(32), [0, u32::MAX.into()]));
    assert!(!Check::Unsigned(32).holds(-1));
    assert!(held(Check::Either(16), [-0x8000, 0xffff]));
    assert!(!Check::Either(16).holds(0x1_0000));
    assert!(held(Check::Magnitude(12), [-0xfff, 0xfff]));
    assert!(!Check::Magnitude(12).holds(-0x1000));
    assert!(held(Check::Upper(32), [-0x8000_0800, 0x7fff_f7ff]));
    assert!(!Check::Upper(32).holds(-0x8000_0801));
    assert!(!Check::Upper(32).holds(0x7fff_f800));
    let beyond =
        [(Check::Unsigned(32), 1 << 32), (Check::Either(16), -0x8001), (Check::Magnitude(12), 0x1000)];
    assert!(beyond.iter().all(|(check, value)| !check.holds(*value)));
    assert!(held(Check::None, [i64::MIN, i64::MAX]));
    for check in [Check::Signed, Check::Unsigned, Check::Either, Check::Magnitude, Check::Upper] {
        for bits in 1..=48 {
            assert!([i64::MIN, i64::MAX].iter().all(|value| !check(bits).holds(*value)));
            let rounding = if matches!(check(bits), Check::Upper(_)) { 12 } else { 0 };
            assert!(check(bits + rounding).holds(0));
        }
    }
}

/// The field, whatever was in it, holds `value` as the assembler writes it, and gives `addend`.
#[track_caller]
pub(super) fn assembled(code: &Code, instruction: &str, value: i64, addend: i64, bytes: &[u8]) {
    for other in [0, -1, 0x5554, -0x5554] {
        let mut found = bytes.to_vec();
        (code.put)(&mut found, other);
        (code.put)(&mut found, value);
        assert_eq!(found, bytes, "{instruction}");
    }
    assert_eq!((code.get)(bytes), addend, "{instruction}");
    assert_eq!(bytes.len(), usize::from(code.len), "{instruction}");
}
