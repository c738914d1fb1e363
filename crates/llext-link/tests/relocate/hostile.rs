//! Records that nobody would write: whatever they say, linking ends, and ends the same in any batches.

use crate::bench::{Bench, CODE, Record, STUBS, bench};
use llext_link::arch::{self, Arch};

/// Marsaglia's xorshift: the same records in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next(from.len() as u64) as usize]
    }
}

const SIZE: u64 = 48;
const ADDENDS: &[i64] =
    &[0, 0, 0, 1, 2, 4, -4, 6, 30, 0x7ff, 0x800, -0x800, 0x7fff_ffff, i64::MIN, i64::MAX, -1];

fn records(arch: &Arch, random: &mut Random) -> Vec<Record> {
    let one = |random: &mut Random| {
        let offset = match random.next(20) {
            0 => random.pick(&[SIZE - 1, SIZE, 0xffff_fffe, u64::MAX]),
            1..4 => random.next(SIZE),
            _ => 4 * random.next(SIZE / 4 - 1),
        };
        let row = arch.howtos[random.next(arch.howtos.len() as u64) as usize].r_type;
        // What depends on others more often than the rest.
        let r_type = if arch.machine == 243 { random.pick(&[row, 20, 23, 24, 25, 60, 61]) } else { row };
        (offset, r_type.into(), random.next(9) as u32, random.pick(ADDENDS))
    };
    (0..random.next(12)).map(|_| one(random)).collect()
}

#[test]
fn any_records_come_to_the_same_end_in_any_batches() {
    let (mut random, mut linked) = (Random(0x1234_5678_9abc_def1), 0);
    for round in 0..6_000 {
        for arch in arch::all() {
            let section: Vec<u8> = (0..SIZE).map(|_| random.pick(&[0, 0x17, 0x80, 0xff, 0x97, 1])).collect();
            let mut symbols: Vec<u64> = (0..5).map(|_| CODE + 4 * random.next(SIZE / 4)).collect();
            symbols.extend([0, 0x1234_5678_9abc, u64::MAX - (1 << 30)]);
            let records = records(arch, &mut random);
            let address =
                random.pick(&[CODE, CODE, CODE + 2, STUBS - 0x100, 0, 0xffff_fff0, 0x7fff_ffff_fff0]);
            let whole = Bench { address, stubs: 12, ..bench(arch, &symbols, &section, &records) };
            let outcome = whole.link();
            let batch = 1 + random.next(3) as usize;
            assert_eq!(Bench { batch, ..whole }.link(), outcome, "{} {round}: {records:?}", arch.name);
            linked += u32::from(outcome.is_ok());
        }
    }
    assert!(linked > 5_000, "only {linked} were linked");
}
