//! Every row of every architecture, applied: the edges of its range, its alignment, its addend.

extern crate std;

use super::*;
use crate::arch::all;
use crate::elf::section::Role;
use crate::elf::{Elf32Be, Elf32Le, Elf64Be, Elf64Le};
use std::string::ToString;

fn rows() -> impl Iterator<Item = (&'static Arch, &'static Howto)> {
    all().flat_map(|arch| arch.howtos.iter().map(move |howto| (arch, howto)))
}

const PLACE: u64 = 0x1000_0000;
const SYMBOL: u64 = 0x1000_2000;
const GOT: u64 = 0x1001_0000;
const BIAS: u64 = 0x5000;
const THREAD: u64 = 0x100;

/// The value of a row's expression with no addend, or `None` when it does not compute one from an addend.
fn base(expr: Expr) -> Option<u64> {
    Some(match expr {
        Expr::Abs => SYMBOL,
        Expr::PcRel | Expr::PcRelWord | Expr::Page | Expr::Branch => SYMBOL - PLACE,
        Expr::Got | Expr::GotAccess | Expr::GotPageOff => 0,
        Expr::GotAbs => GOT,
        Expr::GotPcRel | Expr::GotPcRelRelax | Expr::GotPage => GOT - PLACE,
        Expr::GotOff => SYMBOL.wrapping_sub(GOT),
        Expr::GotPc => GOT - PLACE,
        Expr::Relative => BIAS,
        Expr::TpRel => SYMBOL + THREAD,
        // What has no range: fields that are added to, parts of what stands elsewhere.
        Expr::None | Expr::Slot | Expr::IRelative | Expr::Refused => return None,
        Expr::Lower | Expr::Add | Expr::Subtract | Expr::Minuend | Expr::Subtrahend | Expr::Padding => {
            return None;
        }
    })
}

/// Applies one relocation of a row; with an addend of its own, or with the one in the bytes.
fn apply_as<F: Format>(
    arch: &Arch,
    howto: &Howto,
    addend: Option<u64>,
    symbol: F::Word,
    bytes: &mut [u8],
) -> Result<(), Error> {
    let word = F::Word::SIZE;
    let info = if word == 4 { 1 << 8 | u64::from(howto.r_type) } else { 1 << 32 | u64::from(howto.r_type) };
    let mut record = [0; 24];
    for (at, value) in [0, info, addend.unwrap_or(0)].into_iter().enumerate() {
        write_word::<F>(&mut record[at * word..], F::Word::of(value));
    }
    let (role, count) = if addend.is_some() { (Role::Rela, 3) } else { (Role::Rel, 2) };
    let nowhere = || Area { bytes: &mut [], address: F::Word::of(GOT), used: 0 };
    let mut linker = Linker::<F> {
        arch,
        values: &[F::Word::default(), symbol],
        symbols: None,
        slots: &mut [Slot::default(); 2],
        got: Area { bytes: &mut [0; 16], ..nowhere() },
        stubs: nowhere(),
        index: &mut [],
        pairs: Pairs { uppers: &mut [Upper::default()], state: PairState::default() },
        thread: Some(F::Word::of(THREAD)),
        bias: F::Word::of(BIAS),
        deferred: 0,
    };
    let mut target = Target { bytes, address: F::Word::of(PLACE), origin: F::Word::default() };
    linker.apply(&mut target, Relocations::new(role, &record[..count * word]))?;
    assert_eq!(linker.end(&mut target), Ok(Ended::Done));
    Ok(())
}

fn apply(arch: &Arch, howto: &Howto, addend: Option<u64>, bytes: &mut [u8]) -> Result<(), Error> {
    let is_thumb = arch.interwork.is_some_and(|interwork| (interwork.set)(howto.r_type) == 0);
    let symbol = SYMBOL | u64::from(howto.expr == Expr::Branch && is_thumb);
    match arch.format {
        [1, 1] => apply_as::<Elf32Le>(arch, howto, addend, symbol as u32, bytes),
        [1, 2] => apply_as::<Elf32Be>(arch, howto, addend, symbol as u32, bytes),
        [2, 1] => apply_as::<Elf64Le>(arch, howto, addend, symbol, bytes),
        [2, 2] => apply_as::<Elf64Be>(arch, howto, addend, symbol, bytes),
        other => panic!("no format {other:?}"),
    }
}

/// What applying a row with this value leaves of the bytes, or why it does not.
fn outcome(arch: &Arch, howto: &Howto, base: u64, value: i64, before: u8) -> Result<[u8; 8], Error> {
    let mut bytes = [before; 8];
    let applied = apply(arch, howto, Some((value as u64).wrapping_sub(base)), &mut bytes);
    if applied.is_err() {
        assert_eq!(bytes, [before; 8], "{} {}: written before it was checked", arch.name, howto.r_type);
    }
    applied.map(|()| bytes)
}

/// The lowest and the highest value that a check allows.
fn edges(check: Check) -> Option<(i64, i64)> {
    let power = |n: u8| 1i64 << n;
    Some(match check {
        Check::None => return None,
        Check::Signed(n) => (-power(n - 1), power(n - 1) - 1),
        Check::Unsigned(n) => (0, power(n) - 1),
        Check::Either(n) => (-power(n - 1), power(n) - 1),
        Check::Magnitude(n) => (1 - power(n), power(n) - 1),
        Check::Upper(n) => (-power(n - 1) - 0x800, power(n - 1) - 0x801),
    })
}

#[test]
fn ranges_end_at_their_edges_and_nothing_beyond_is_written() {
    let mut tried = 0;
    for (arch, howto) in rows() {
        let (Some(base), Some((low, high))) = (base(howto.expr), edges(howto.check)) else { continue };
        let unit = if matches!(howto.expr, Expr::Page | Expr::GotPage) { 4096 } else { howto.align.into() };
        let (low, high) =
            (low.div_euclid(unit) * unit + (low.rem_euclid(unit) != 0) as i64 * unit, high / unit * unit);
        for before in [0, 0xff] {
            for value in [low, low + unit, 0, high - unit, high] {
                let done = outcome(arch, howto, base, value, before);
                assert!(done.is_ok(), "{} {}: {value:#x}: {done:?}", arch.name, howto.r_type);
            }
            for beyond in [low - unit, high + unit] {
                let fits = arch.format[0] == 2 || i32::try_from(beyond).is_ok();
                let is_overflow =
                    |error| matches!(error, Error::RelocationOverflow { value, .. } if value == beyond);
                let done = outcome(arch, howto, base, beyond, before);
                let refused = done.as_ref().is_err_and(|error| is_overflow(*error));
                assert_eq!(refused, fits, "{} {}: {beyond:#x}: {done:?}", arch.name, howto.r_type);
                tried += u32::from(fits);
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn what_is_misaligned_is_refused_and_not_written() {
    let mut tried = 0;
    for (arch, howto) in rows().filter(|(_, howto)| howto.align > 1) {
        let base = base(howto.expr).unwrap();
        for odd in [1, i64::from(howto.align) / 2, i64::from(howto.align) - 1] {
            let done = outcome(arch, howto, base, 8 * i64::from(howto.align) + odd, 0);
            assert!(
                matches!(done, Err(Error::RelocationMisaligned { align, .. }) if align == howto.align),
                "{} {}: {odd}: {done:?}",
                arch.name,
                howto.r_type
            );
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn an_addend_in_the_field_counts_as_one_beside_it() {
    for (arch, howto) in rows().filter(|(_, howto)| base(howto.expr).is_some()) {
        for addend in [0, 4, 8, -4, -8] {
            let mut implicit = [0; 8];
            match howto.field {
                Field::Code(code) | Field::Upper(code) => (code.put)(&mut implicit, addend),
                Field::Data(_) if arch.format[1] == 2 => put::<Elf64Be>(&howto.field, &mut implicit, addend),
                Field::Data(_) => put::<Elf64Le>(&howto.field, &mut implicit, addend),
            }
            let mut explicit = implicit;
            let addend = match howto.field {
                Field::Code(code) | Field::Upper(code) => (code.get)(&implicit),
                Field::Data(_) => addend,
            };
            let results = [
                apply(arch, howto, None, &mut implicit),
                apply(arch, howto, Some(addend as u64), &mut explicit),
            ];
            assert_eq!(results[0], results[1], "{} {}", arch.name, howto.r_type);
            assert_eq!(implicit, explicit, "{} {}", arch.name, howto.r_type);
        }
    }
}

#[test]
fn what_cannot_be_done_is_refused_by_its_name() {
    for (arch, howto) in rows().filter(|(_, howto)| howto.expr == Expr::Refused) {
        let mut bytes = [0; 8];
        let done = apply(arch, howto, Some(0), &mut bytes);
        let name = arch.relocation(howto.r_type.into()).to_string();
        assert!(name.starts_with("R_") && done.as_ref().unwrap_err().to_string().contains(&name), "{name}");
        assert_eq!(bytes, [0; 8]);
        // It was once put off, for a resolver to fill what is not a pointer, where its symbol's value waited for one.
        let waits = match arch.format {
            [1, 1] => apply_as::<Elf32Le>(arch, howto, Some(0), Mark::deferred(), &mut bytes),
            [2, 1] => apply_as::<Elf64Le>(arch, howto, Some(0), Mark::deferred(), &mut bytes),
            _ => continue,
        };
        assert_eq!(waits, done);
    }
}

#[test]
fn every_stub_fits_its_room() {
    assert!(all().all(|arch| arch.stub_len() <= crate::veneer::MAX_STUB));
}
