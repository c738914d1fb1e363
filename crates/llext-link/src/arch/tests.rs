//! One set of tests for every row of every architecture.

use super::*;

#[test]
fn rows_are_sorted_and_named() {
    for arch in all() {
        assert!(arch.howtos.windows(2).all(|two| two[0].r_type < two[1].r_type), "{}", arch.name);
        let (_, names) = names(arch.machine).unwrap();
        assert!(arch.howtos.iter().zip(names).all(|(howto, (number, _))| howto.r_type == *number));
        assert_eq!(arch.howtos.len(), names.len());
    }
}

/// One test for every row of every architecture: what is put is what is got, up to the edges of the range.
#[test]
fn fields_round_trip() {
    for howto in all().flat_map(|arch| arch.howtos) {
        let Field::Code(code) = howto.field else { continue };
        // Fields that take a part of an unchecked value have golden tests beside their rows.
        let (Check::Signed(bits) | Check::Unsigned(bits) | Check::Either(bits)) = howto.check else {
            continue;
        };
        let edges = [0, 2, 4, -4, (1i64 << (bits - 1)) - 2, -(1i64 << (bits - 1))];
        for value in edges.into_iter().filter(|value| value % i64::from(howto.align) == 0) {
            let (mut zeros, mut ones) = ([0; 8], [0xff; 8]);
            (code.put)(&mut zeros, value);
            (code.put)(&mut ones, value);
            assert_eq!((code.get)(&zeros), value, "type {} value {value:#x}", howto.r_type);
            assert_eq!((code.get)(&ones), value, "type {} value {value:#x}", howto.r_type);
        }
    }
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
}
