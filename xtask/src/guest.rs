//! `cargo xtask bench --boards`: the guest's instructions of a load, a look-up and an unload, on boards in QEMU.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use object::{Object, ObjectSection};

use crate::board::{BOARDS, Board};
use crate::error::{Result, bail};
use crate::process;
use shape::{SHAPES, Shape};

#[allow(unreachable_pub, dead_code)]
#[path = "../../benches/src/names.rs"]
mod names;
#[allow(unreachable_pub, dead_code)]
#[path = "../../benches/src/shape.rs"]
mod shape;

/// A board that counts.
pub(crate) struct Guest {
    /// What it is called in the results.
    name: &'static str,
    target: &'static str,
    flags: &'static [&'static str],
    /// How the emulator's time follows its instructions, as the firmware expects it.
    icount: &'static str,
}

pub(crate) const GUESTS: [Guest; 2] = [
    Guest { name: "an385", target: "thumbv7m-none-eabi", flags: &["-mlong-calls"], icount: "shift=6" },
    Guest {
        name: "riscv32",
        target: "riscv32imac-unknown-none-elf",
        flags: &["-mno-relax", "-msmall-data-limit=0"],
        icount: "shift=0",
    },
];

/// Of a workload for every processor.
const FLAGS: &[&str] = &[
    "-c",
    "-O1",
    "-ffreestanding",
    "-fno-pic",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-stack-protector",
    "-fno-ident",
    "-w",
];

/// The largest workload does not fit into the RAM of a board beside its file.
const FIT: usize = 3;
/// What these call.
const HOSTS: usize = 1_000;

const LIMIT: Duration = Duration::from_secs(60);

/// What one workload takes.
#[derive(Debug, PartialEq)]
pub(crate) struct Counted {
    workload: &'static str,
    relocations: usize,
    load: u64,
    /// Of the longest step of a load that is read, by 64 units of work.
    longest: u64,
    /// Of all its exports, each by its name.
    find: u64,
    found: u64,
    unload: u64,
    /// A load that copies all of it: what is used in place is not saved.
    copied: u64,
    /// With a digest of its code and constants.
    save: u64,
    restore: u64,
}

/// Prints what every board counts that can be built and run here.
pub(crate) fn bench(as_json: bool) -> Result<()> {
    let mut results = Vec::new();
    for guest in &GUESTS {
        match guest.missing() {
            Some(missing) => eprintln!("left out: {missing}"),
            None => results.push((guest.name, guest.count()?)),
        }
    }
    println!("{}", if as_json { json(&results) } else { table(&results) });
    Ok(())
}

impl Guest {
    fn board(&self) -> &'static Board {
        BOARDS.iter().find(|board| board.target == self.target).expect("a guest is a board")
    }

    /// The first tool it lacks.
    pub(crate) fn missing(&self) -> Option<String> {
        self.board().missing().map(|missing| format!("{}: {missing}", self.name))
    }

    /// Counts what each workload takes; fails where a result is wrong.
    pub(crate) fn count(&self) -> Result<Vec<Counted>> {
        let board = self.board();
        board.build_extensions()?;
        fs::write(board.output().join("hosts.rs"), hosts())?;
        let firmware = board.build_firmware(&["--features=count"])?;
        SHAPES[..FIT]
            .iter()
            .map(|shape| {
                let relocations = self.compile(board, shape)?;
                let mut emulator = board.emulator(&firmware);
                emulator.args(["-icount", self.icount]);
                let printed = process::output_within(&mut emulator, LIMIT)?;
                read(shape, relocations, &printed)
            })
            .collect()
    }

    /// Puts the workload where the firmware looks for it; how many relocations it has.
    fn compile(&self, board: &Board, shape: &Shape) -> Result<usize> {
        let source = board.output().join(shape.file).with_extension("c");
        fs::write(&source, shape.source())?;
        let object = board.output().join("workload.o");
        let mut gcc = Command::new(board.c_compiler[0]);
        gcc.args(&board.c_compiler[1..]).args(FLAGS).args(self.flags);
        process::run(gcc.arg(&source).arg("-o").arg(&object))?;
        let bytes = fs::read(&object)?;
        let file = object::File::parse(&*bytes)?;
        Ok(file.sections().map(|section| section.relocations().count()).sum())
    }
}

/// The functions that workloads call, and their table, in Rust.
fn hosts() -> String {
    let (mut functions, mut table) = (String::new(), String::new());
    for number in 0..HOSTS {
        let name = names::host_function(number);
        // Writing to a String cannot fail.
        let _ = writeln!(functions, "extern \"C\" fn {name}() -> i32 {{ {number} }}");
        let _ = writeln!(table, "    fn {name}() -> i32;");
    }
    format!("{functions}llext::exports! {{\n    pub(super) static HOST;\n{table}}}\n")
}

/// Reads the firmware's one line, a name before each number.
fn read(shape: &Shape, relocations: usize, printed: &str) -> Result<Counted> {
    let words: Vec<&str> = printed.split_whitespace().collect();
    let number = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1)?.parse::<u64>().ok()
    };
    let names = ["load", "longest", "find", "found", "unload", "value", "copied", "save", "restore"];
    let all = names.map(number);
    if all.contains(&None) {
        bail!("workload {}: it printed {printed:?}", shape.name)
    }
    let [load, longest, find, found, unload, value, copied, save, restore] =
        all.map(Option::unwrap_or_default);
    if value != shape.main_value() as u64 || found != shape.exports().count() as u64 {
        bail!("workload {}: its value is {value}, {found} exports were found", shape.name)
    }
    Ok(Counted {
        workload: shape.name,
        relocations,
        load,
        longest,
        find,
        found,
        unload,
        copied,
        save,
        restore,
    })
}

type Results = [(&'static str, Vec<Counted>)];

fn table(results: &Results) -> String {
    let mut text = format!(
        "{:<10} {:>11} {:>10} {:>12} {:>8} {:>8} {:>10} {:>8} {:>8}\n",
        "guest", "relocations", "load", "longest step", "look-up", "unload", "copied", "save", "restore"
    );
    for (guest, counted) in results {
        for one in counted {
            let name = format!("{guest} {}", one.workload);
            let Counted { relocations, load, longest, unload, copied, save, restore, .. } = one;
            let _ = writeln!(
                text,
                "{name:<10} {relocations:>11} {load:>10} {longest:>12} {:>8} {unload:>8} {copied:>10} {save:>8} {restore:>8}",
                one.find / one.found
            );
        }
        if let Some(each) = a_relocation(counted) {
            let _ = writeln!(text, "{guest}: {each} instructions a relocation, from b to c");
        }
    }
    text
}

fn json(results: &Results) -> String {
    let guests = results.iter().map(|(guest, counted)| {
        let workloads = counted.iter().map(|one| {
            let Counted { workload, relocations, load, longest, find, found, unload, copied, save, restore } = one;
            format!(
                "\"{workload}\": {{\"load\": {load}, \"longest_step\": {longest}, \"look_up\": {}, \"unload\": {unload}, \
                 \"copied\": {copied}, \"save\": {save}, \
                 \"restore\": {restore}, \"relocations\": {relocations}}}",
                find / found
            )
        });
        format!("\"{guest}\": {{{}}}", workloads.collect::<Vec<_>>().join(", "))
    });
    format!("{{\"guest\": {{{}}}}}", guests.collect::<Vec<_>>().join(", "))
}

/// What a relocation more takes.
fn a_relocation(counted: &[Counted]) -> Option<u64> {
    let [.., b, c] = counted else { return None };
    Some(c.load.checked_sub(b.load)? / c.relocations.checked_sub(b.relocations)? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str =
        "load 1000 longest 500 find 220 found 2 unload 30 value 0\ncopied 1200 save 40 restore 50\n";

    #[test]
    fn results_are_read_and_checked() {
        let a = read(&SHAPES[0], 6, PRINTED).unwrap();
        assert_eq!(
            json(&[("an385", vec![a])]),
            r#"{"guest": {"an385": {"a": {"load": 1000, "longest_step": 500, "look_up": 110, "unload": 30, "copied": 1200, "save": 40, "restore": 50, "relocations": 6}}}}"#
        );
        for wrong in
            [PRINTED.replace("value 0", "value 1"), PRINTED.replace("found 2", "found 1"), String::new()]
        {
            assert!(read(&SHAPES[0], 6, &wrong).is_err());
        }
    }

    #[test]
    fn a_relocation_is_what_two_workloads_differ_in() {
        let nothing = read(&SHAPES[0], 0, PRINTED).unwrap();
        let one = |relocations, load| Counted { relocations, load, ..nothing };
        assert_eq!(a_relocation(&[one(1, 1), one(4, 100), one(14, 700)]), Some(60));
        assert_eq!(a_relocation(&[one(1, 1)]), None);
    }
}
