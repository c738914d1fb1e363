//! What a linked firmware does between writing code and running it: read from the firmware itself, by a disassembler, and
//! compared with what the manual of its processor names. llext holds the same as data, and tries that on a model of caches.

use std::process::Command;

use object::{Object, ObjectSymbol};

use super::{Board, DEMO};
use crate::error::{Error, Result, bail};
use crate::process::{find_newest, output};

/// The function that shows written code to instruction fetch.
const FUNCTION: &str = "llext::memory::cache::synchronize";

/// Comes with what `cargo xtask setup` calls llvm.
const DISASSEMBLER: &str = "llvm-objdump";

/// A kind of processor: what its targets' names begin with, and the instructions in their order.
struct Row {
    targets: &'static str,
    expected: &'static [&'static str],
}

const ROWS: &[Row] = &[
    // DDI 0487, B2.7: clean by address, wait, invalidate by address, wait, fetch anew.
    Row { targets: "aarch64", expected: &["dc cvau", "dsb ish", "ic ivau", "dsb ish", "isb"] },
    // DDI 0487, G4.2.9: DCCMVAU, DSB, ICIMVAU, BPIALL, DSB, ISB.
    Row {
        targets: "armv7a",
        expected: &[
            "mcr p15 0 c7 c11 1",
            "dsb sy",
            "mcr p15 0 c7 c5 1",
            "mcr p15 0 c7 c5 6",
            "dsb sy",
            "isb sy",
        ],
    },
    // DDI 0403, B2.2.7: the same registers lie in memory: DCCMVAU; ICIALLU and BPIALL.
    Row { targets: "thumb", expected: &["dsb sy", "str", "dsb sy", "str", "str", "dsb sy", "isb sy"] },
    // Zifencei.
    Row { targets: "riscv", expected: &["fence rw rw", "fence.i"] },
];

/// The disassembler, if it is missing, or what the board lacks.
pub(crate) fn missing(board: &Board) -> Option<String> {
    let disassembler = find_newest(DISASSEMBLER).is_none().then(|| format!("{DISASSEMBLER} is missing"));
    board.missing().or(disassembler)
}

/// Fails unless the firmware of this board does what the manual says, and in that order.
pub(crate) fn check(board: &Board) -> Result<()> {
    let Some(row) = ROWS.iter().find(|row| board.target.starts_with(row.targets)) else {
        bail!("{}: no sequence is known", board.target)
    };
    board.build_extensions()?;
    let firmware = board.build_firmware(DEMO)?;
    let symbol = symbol_of(&std::fs::read(&firmware)?)?;
    let disassembler =
        find_newest(DISASSEMBLER).ok_or_else(|| Error::new(format!("{DISASSEMBLER} is missing")))?;
    let mut command = Command::new(disassembler);
    command.args(["-d", "--no-show-raw-insn"]);
    let listing = output(command.arg(format!("--disassemble-symbols={symbol}")).arg(firmware))?;
    let found = steps(&listing);
    if found != row.expected {
        bail!("{}: {FUNCTION} does {found:?}, expected {:?}", board.target, row.expected)
    }
    println!("{}: {}", board.target, found.join(", "));
    Ok(())
}

/// What the function is called in this firmware.
fn symbol_of(firmware: &[u8]) -> Result<String> {
    let file = object::File::parse(firmware)?;
    for symbol in file.symbols() {
        let name = symbol.name()?;
        if format!("{:#}", rustc_demangle::demangle(name)) == FUNCTION {
            return Ok(name.to_owned());
        }
    }
    bail!("the firmware has no {FUNCTION}")
}

/// The instructions of a listing that are steps, without the registers that the compiler chose.
fn steps(listing: &str) -> Vec<String> {
    listing.lines().filter_map(step).collect()
}

fn step(line: &str) -> Option<String> {
    let (_, instruction) = line.split_once(':')?;
    let mut words = instruction.split([' ', '\t', ',']).filter(|word| !word.is_empty());
    let mnemonic = words.next()?;
    if mnemonic.starts_with("str") {
        return (!instruction.contains("[sp")).then(|| "str".to_owned());
    }
    if !matches!(mnemonic, "dc" | "ic" | "dsb" | "isb" | "mcr" | "fence" | "fence.i") {
        return None;
    }
    let words = words.filter(|word| !is_register(word)).map(|word| word.trim_start_matches('#'));
    let words = words.map(|word| word.strip_prefix("0x").unwrap_or(word));
    Some([mnemonic].into_iter().chain(words).collect::<Vec<_>>().join(" "))
}

fn is_register(word: &str) -> bool {
    word.strip_prefix(['r', 'x']).is_some_and(|number| number.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_whatever_registers_they_use() {
        let listing = "
400aee70 <_ZN5llext6memory5cache11synchronize17h7296E>:
400aee78:      \tmcr\tp15, #0x0, r7, c7, c11, #0x1
400aee7c:      \tadd\tr7, r7, r1
400aee90:      \tdsb\tsy
   1f930:      \tstrmi.w\tr2, [lr, #0x14]
   1f934:      \tstr\tr2, [sp, #0x4]
80000b9a:      \tfence\trw, rw
400ae78c:      \tic\tivau, x15
400ae7b0:      \tisb
";
        let expected = ["mcr p15 0 c7 c11 1", "dsb sy", "str", "fence rw rw", "ic ivau", "isb"];
        assert_eq!(steps(listing), expected);
    }

    #[test]
    fn every_board_has_a_sequence() {
        let has = |board: &Board| ROWS.iter().any(|row| board.target.starts_with(row.targets));
        assert!(crate::board::BOARDS.iter().all(has));
    }
}
