//! The project's own commands, run as `cargo xtask COMMAND`.

mod board;
mod capi;
mod coverage;
mod error;
mod fuzz;
mod guest;
mod guide;
mod hostile;
mod matrix;
mod oracle;
mod process;
mod project;
mod setup;
mod size;
mod test;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use error::Result;

fn main() -> ExitCode {
    match dispatch(&command_line().get_matches()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn command_line() -> Command {
    let no_setup =
        Arg::new("no-setup").long("no-setup").action(ArgAction::SetTrue).help("Install nothing first");
    let filter = Arg::new("FILTER").default_value("").hide_default_value(true);
    let filter = filter.help("Part of a phase's name, or else of a test's name");
    let reports_apart = Arg::new("apart").long("apart").value_name("FILE").hide(true);
    let reports_apart = reports_apart.value_parser(clap::value_parser!(PathBuf));
    let board = Arg::new("NAME").value_parser(board::names()).required(true);
    let board = board.help("The folder in boards/, or c- and the board that boards/c runs on");
    let oracle = Command::new("oracle").about("Compare every architecture's relocations with other linkers'");
    let oracle = oracle
        .arg(Arg::new("ARCH").num_args(0..).value_parser(oracle::names()).help("Only these architectures"))
        .arg(flag("quick", "Take a selection, as the tests do"))
        .arg(flag("verbose", "Name every type that no file had, and show every difference").short('v'))
        .arg(flag("json", "Print one JSON object"))
        .arg(Arg::new("only").long("only").value_name("TEXT").help("Only cases with TEXT in their names"));
    let matrix =
        Command::new("matrix").about("Run the extensions on every architecture, in every kind of file");
    let matrix = matrix
        .arg(Arg::new("ARCH").num_args(0..).value_parser(matrix::names()).help("Only these architectures"))
        .arg(flag("quick", "One level of optimisation and fewer kinds, as the tests do"))
        .arg(flag("json", "Print one JSON object"))
        .arg(
            Arg::new("only").long("only").value_name("TEXT").help("Only extensions with TEXT in their names"),
        );
    let file = clap::value_parser!(PathBuf);
    let given = Arg::new("extension").long("extension").value_name("FILE").value_parser(file);
    let given = given.help("Load this file instead, and call its `probe` if it has one");
    let linked =
        flag("linked", "Link it for this firmware on this computer, and load it where it was linked for");
    let linked = linked.requires("extension");
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one object for programs");
    let rest = Arg::new("ARGS").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    let rest =
        rest.value_parser(clap::value_parser!(OsString)).help("Given on to the benchmark, such as --json");
    let on_boards = flag("boards", "Count the instructions of boards in QEMU instead; of ARGS, takes --json");
    let model = Arg::new("MODEL").default_value("").hide_default_value(true);
    let model = model.help("The beginning of a model's name, such as `names` or `calls::an_unload`");
    let long = Arg::new("long").long("long").action(ArgAction::SetTrue);
    let long = long.help("Try every schedule, or a million and more of them: for hours");
    let models = Command::new("models").about("Run the models of the registry's races").arg(long).arg(model);
    let hostile = Arg::new("ARGS").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    let hostile =
        hostile.value_parser(clap::value_parser!(OsString)).help("A part alone, --long, --seed N, --case N");
    let minutes = Arg::new("minutes").long("minutes").value_name("N").default_value("5");
    let minutes = minutes.value_parser(clap::value_parser!(u64)).help("How long each target runs");
    let target =
        Arg::new("TARGET").value_parser(fuzz::TARGETS.to_vec()).help("This one, instead of all in turn");
    let fuzz = Command::new("fuzz").about("Fuzz the linker and the loader").args([target, minutes]);
    let size = Command::new("size").about("Measure what the loader costs each target");
    let size =
        size.arg(Arg::new("TARGET").num_args(0..).value_parser(size::names()).help("Only these targets"));
    Command::new("xtask")
        .bin_name("cargo xtask")
        .about("The project's own commands")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("setup").about("Install what the tests need"))
        .subcommand(Command::new("test").about("Run every check there is").args([
            no_setup,
            reports_apart,
            filter,
        ]))
        .subcommand(models)
        .subcommand(oracle)
        .subcommand(fuzz)
        .subcommand(matrix)
        .subcommand(
            Command::new("coverage").about("Show which lines of the linker the tests run").arg(json.clone()),
        )
        .subcommand(
            Command::new("board")
                .about("Build a board's firmware and run it in QEMU")
                .args([board, given, linked]),
        )
        .subcommand(
            Command::new("capi")
                .about("Build libllext.a, LLEXT's API in C, for a target")
                .arg(Arg::new("TARGET").required(true).help("As rustc calls it"))
                .arg(flag("std", "For Linux: with files, and memory of the process's own"))
                .arg(flag("terse", "Errors by their numbers: less code").conflicts_with("std"))
                .arg(flag("lz4", "Loads files that are LZ4 frames as well")),
        )
        .subcommand(size.arg(json))
        .subcommand(
            Command::new("hostile").about("Load hostile files from failing surroundings").arg(hostile),
        )
        .subcommand(
            Command::new("bench").about("Measure loads, look-ups and unloads").args([on_boards, rest]),
        )
}

/// Whether all went well, as far as that is not said by an error.
fn dispatch(matches: &ArgMatches) -> Result<bool> {
    match matches.subcommand() {
        Some(("setup", _)) => setup::setup()?,
        Some(("test", given)) => {
            let filter = text(given, "FILTER");
            return match given.get_one::<PathBuf>("apart") {
                Some(reports) => test::test_apart(filter, reports),
                None => test::test(!given.get_flag("no-setup"), filter),
            };
        }
        Some(("models", given)) => return test::models(given.get_flag("long"), text(given, "MODEL")),
        Some(("board", given)) => {
            let linked = given.get_flag("linked");
            let file = given.get_one::<PathBuf>("extension");
            board::run(text(given, "NAME"), file.map(|file| board::Given { file, linked }))?
        }
        Some(("capi", given)) => {
            let build = match (given.get_flag("std"), given.get_flag("terse")) {
                (true, _) => capi::Build::HOSTED,
                (_, true) => capi::Build::TERSE,
                _ => capi::Build::BARE,
            };
            let build = if given.get_flag("lz4") { build.with_lz4() } else { build };
            capi::lay_down(text(given, "TARGET"), build)?
        }
        Some(("size", given)) => size::size(&names(given, "TARGET"), given.get_flag("json"))?,
        Some(("fuzz", given)) => {
            return fuzz::fuzz(text(given, "TARGET"), given.get_one("minutes").copied().unwrap_or_default());
        }
        Some(("coverage", given)) => return coverage::coverage(given.get_flag("json")),
        Some(("oracle", given)) => return compare(given),
        Some(("hostile", given)) => return Ok(hostile::all(&arguments(given))),
        Some(("matrix", given)) => return execute(given),
        Some(("bench", given)) => bench(given)?,
        _ => unreachable!("clap requires one of the commands above"),
    }
    Ok(true)
}

fn text<'a>(given: &'a ArgMatches, name: &str) -> &'a str {
    given.get_one::<String>(name).map_or("", String::as_str)
}

fn names(given: &ArgMatches, name: &str) -> Vec<String> {
    given.get_many(name).into_iter().flatten().cloned().collect()
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn compare(given: &ArgMatches) -> Result<bool> {
    let options = oracle::Options {
        architectures: names(given, "ARCH"),
        quick: given.get_flag("quick"),
        verbose: given.get_flag("verbose"),
        json: given.get_flag("json"),
        only: given.get_one("only").cloned(),
    };
    Ok(oracle::run(&options)?.failures.is_empty())
}

fn arguments(given: &ArgMatches) -> Vec<OsString> {
    given.get_many::<OsString>("ARGS").into_iter().flatten().cloned().collect()
}

fn execute(given: &ArgMatches) -> Result<bool> {
    let options = matrix::Options {
        architectures: names(given, "ARCH"),
        quick: given.get_flag("quick"),
        json: given.get_flag("json"),
        only: given.get_one("only").cloned(),
    };
    let summary = matrix::run(&options)?;
    summary.failures.iter().for_each(|failure| eprintln!("failed: {failure}"));
    summary.left_out.iter().for_each(|what| eprintln!("left out: {what}"));
    Ok(summary.failures.is_empty())
}

/// Standard output belongs to the benchmark alone, so the command is not shown.
fn bench(given: &ArgMatches) -> Result<()> {
    if given.get_flag("boards") {
        return guest::bench(arguments(given).iter().any(|argument| argument == "--json"));
    }
    let mut cargo = project::cargo();
    cargo.args(["run", "--release", "--quiet", "--package=llext-bench", "--"]).args(arguments(given));
    process::run_unseen(&mut cargo)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command_line().debug_assert();
    }

    #[test]
    fn the_benchmark_gets_every_argument() {
        let given = super::command_line().get_matches_from(["xtask", "bench", "--json", "--only", "d"]);
        let (_, bench) = given.subcommand().expect("bench is a command");
        let arguments: Vec<_> = bench.get_many::<std::ffi::OsString>("ARGS").into_iter().flatten().collect();
        assert_eq!(arguments, ["--json", "--only", "d"]);
    }
}
