//! repl, driven through a pipe.

use crate::several::{APP, BASE, MATH};
use crate::support::{Place, Said, objects, statuses, strings};

/// `app` needs `math`, which needs `base`.
fn place() -> Place {
    let place = Place::new();
    place.build_each(&[("base", BASE), ("math", MATH), ("app", APP)]);
    place
}

/// Addresses differ from run to run.
fn without_addresses(text: &str) -> String {
    let digits = |rest: &str| rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    let mut parts = text.split("0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}0x..{}", &part[digits(part)..]))
}

fn refused(said: Said, code: &str) -> Said {
    said.refused(code)
}

#[test]
fn a_session_loads_calls_and_unloads() {
    let place = place();
    let said = place
        .tell("repl", "load app.llext\ncall app.area 6 7\ncall math.forty\nunload app\nlist\n")
        .expect(0);
    assert_eq!(said.out, "area(6, 7) = 42\nforty() = 40\napp ends\nmath ends\nnothing is loaded\n");
    assert_eq!(statuses(&said.err, "Loaded").len(), 3);
    assert_eq!(statuses(&said.err, "Unloaded"), ["app", "math", "base"]);
    assert!(!said.err.contains("llext>") && !said.out.contains("llext>"));
}

#[test]
fn files_and_projects_to_begin_with_are_loaded() {
    let place = place();
    let said = place.tell("repl math.llext app.llext", "list --json\nquit\nfly\n").expect(0);
    let list = &objects(said.out.lines().next().unwrap())[0]["extensions"];
    let told = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["uses"].as_u64().unwrap()));
    assert_eq!(told.collect::<Vec<_>>(), [("base", 0), ("math", 1), ("app", 1)]);
    assert_eq!(list[1]["needed_by"], serde_json::json!(["app"]));
    let said = refused(place.tell("repl nowhere.llext", "list\n"), "E0700");
    assert_eq!(said.out, "nothing is loaded\n");
}

#[test]
fn uses_are_counted_and_the_last_is_told() {
    let place = place();
    let said = place.tell(
        "repl",
        "load base.llext\nload base.llext\nload base.llext\nunload base\nunload base\nunload base\n",
    );
    let said = said.expect(0);
    assert_eq!(statuses(&said.err, "Loaded")[1..], ["base again (uses 2)", "base again (uses 3)"]);
    assert_eq!(statuses(&said.err, "Released"), ["base (2 uses remain)", "base (1 use remains)"]);
    assert_eq!(statuses(&said.err, "Unloaded"), ["base"]);
}

#[test]
fn an_unload_that_is_refused_changes_nothing() {
    let place = place();
    let lines = "unload math\nunload math --within 10\nunload base\ncall app.area 1 2\nlist --json\n";
    let said = refused(place.tell("repl app.llext", lines), "E0425");
    assert_eq!(said.err.matches("error[E0425]").count(), 3, "{}", said.err);
    assert_eq!(said.err.matches("\n  needed by: app\n").count(), 2, "{}", said.err);
    assert!(said.out.starts_with("area(1, 2) = 2\n"), "{}", said.out);
    let list = &objects(said.out.lines().nth(1).unwrap())[0]["extensions"];
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!(statuses(&said.err, "Unloaded"), ["app", "math", "base"]);
}

#[test]
fn a_later_unload_waits_for_those_that_need_it() {
    let place = place();
    let lines =
        "load math.llext\nload app.llext\nunload math --later\nlist\ncall math.forty\nunload app\nlist\n";
    let said = refused(place.tell("repl", lines), "E0421");
    assert_eq!(statuses(&said.err, "Leaving"), ["math (it goes with the last that needs it)"]);
    assert!(said.out.contains("  math  leaving     0  -"), "{}", said.out);
    assert!(said.out.ends_with("app ends\nmath ends\nnothing is loaded\n"), "{}", said.out);
}

#[test]
fn an_extension_may_have_another_name_than_its_file() {
    let place = place();
    let said =
        place.tell("repl", "load base.llext as one\nload base.llext as two\ncall two.base\nunload one\n");
    assert_eq!(said.expect(0).out, "base() = 40\n");
    place.write("other.c", "int other(void) { return 2; }\n");
    place.done("build other.c -o other.llext");
    refused(place.tell("repl base.llext", "load other.llext as base\n"), "E0420");
}

#[test]
fn everything_is_unloaded_at_the_end_in_an_order_that_works() {
    let place = place();
    // The provider's handle is younger than the one of who needs it.
    let said =
        place.tell("repl", "load app.llext\nload math.llext\nload base.llext\nload math.llext\n").expect(0);
    assert_eq!(said.out, "app ends\nmath ends\n");
    assert_eq!(statuses(&said.err, "Unloaded"), ["app", "math", "base"]);
    assert!(!said.err.contains("error"), "{}", said.err);
}

#[test]
fn what_is_loaded_is_shown() {
    let place = place();
    let said = place.tell("repl -q app.llext", "info math\ndeps\ndeps math\nsymbols math\nfind 0x10\n");
    let said = without_addresses(&said.refused("E0746").out);
    // How large the parts are is the compiler's affair.
    let (parts, lines): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| line.ends_with(" bytes"));
    let parts: Vec<_> = parts.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(parts, ["code", "constants", "data"]);
    insta::assert_snapshot!(lines.join("\n"), @r"
    math: live, math.llext
      uses       0
      needed by  app
      needs      base
      exports    2
    app
    └── math
        └── base
    math
    └── base
    needed by app
      0x..  multiply
      0x..  forty
    app ends
    math ends
    ");
}

#[test]
fn addresses_are_found() {
    let place = place();
    let symbols = |file: &str, name: &str| {
        let said = place.tell(&format!("repl -q {file}"), &format!("symbols {name} --json\n")).expect(0);
        objects(said.out.lines().next().unwrap())[0]["symbols"].clone()
    };
    assert_eq!(symbols("base.llext", "base")[0]["name"], "base");
    // The same session must ask where something lies, and then what lies there.
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("llext"))
        .args(["repl", "-q", "base.llext"])
        .current_dir(place.path(""))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(output));
    let mut ask = |line: &str| {
        std::io::Write::write_all(&mut input, format!("{line}\n").as_bytes()).unwrap();
        objects(&lines.next().unwrap().unwrap()).remove(0)
    };
    let address = ask("symbols base --json")["symbols"][0]["address"].as_str().unwrap().to_owned();
    let address = usize::from_str_radix(address.trim_start_matches("0x"), 16).unwrap();
    let place = ask(&format!("find {} --json", address + 2));
    let told = (&place["extension"], &place["part"], &place["symbol"], &place["symbol_offset"]);
    assert_eq!(told, (&"base".into(), &"code".into(), &"base".into(), &2.into()));
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn programs_read_one_object_a_line() {
    let place = place();
    let lines = "load app.llext\ncall app.area 2 3\ncall math.f\ndeps\nunload app\nfly\n";
    let said = place.tell("repl --json", lines).expect(1);
    let all = objects(&said.out);
    assert_eq!(all[0]["loaded"][2]["name"], "app");
    assert_eq!(all[1]["value"], 6);
    assert_eq!(all[2]["error"]["code"], "E0424");
    assert_eq!(strings(&all[3]["extensions"][1]["needs"]), ["base"]);
    assert_eq!(strings(&all[3]["extensions"][1]["needed_by"]), ["app"]);
    assert_eq!(strings(&all[4]["unloaded"]), ["app", "math", "base"]);
    assert_eq!(all[5]["error"]["code"], "E0745");
    assert_eq!(all.len(), 6, "{}", said.out);
}

#[test]
fn calls_are_made_as_run_makes_them() {
    let place = Place::new();
    let source = "#include <stdio.h>\ndouble half(int a) { return a / 2.0; }\n\
        int length(const char *text) { int n = 0; while (text[n]) n++; return n; }\n\
        void say(const char *text) { printf(\"said %s\\n\", text); }\n";
    place.build_each(&[("many", source)]);
    let lines = "call many.half -3 --returns f64\ncall many.length 'two words'\n\
        call many.say x --returns void # a remark\n\n# nothing\n";
    let said = place.tell("repl many.llext", lines).expect(0);
    assert_eq!(said.out, "half(-3) = -1.5\nlength(\"two words\") = 9\nsaid x\nsay(\"x\") = void\n");
}

#[test]
fn a_line_that_is_refused_does_not_end_the_session() {
    let place = place();
    for (line, code) in [
        ("fly", "E0745"),
        ("load", "E0745"),
        ("call base", "E0745"),
        ("call base.base 1 2 3 4 5 6 7", "E0745"),
        ("load 'base.llext", "E0745"),
        ("load nowhere.llext", "E0700"),
        ("load base.c", "E0420"),
        ("load base.c as text", "E0100"),
        ("unload nobody", "E0744"),
        ("info nobody", "E0744"),
        ("deps nobody", "E0744"),
        ("symbols nobody", "E0744"),
        ("call nobody.f", "E0744"),
        ("call base.nothing", "E0424"),
        ("call base.base 99999999999999999999", "E0742"),
        ("find 7", "E0746"),
        ("find here", "E0742"),
    ] {
        let said = refused(place.tell("repl base.llext", &format!("{line}\ncall base.base\n")), code);
        assert_eq!(said.out, "base() = 40\n", "{line}");
    }
}

#[test]
fn help_is_a_result() {
    let place = Place::new();
    let said = place.tell("repl", "help\nhelp load\n").expect(0);
    for command in ["list", "info", "deps", "load", "unload", "call", "symbols", "find", "help", "quit"] {
        assert!(
            said.out.contains(&format!("\n  {command} ")) || said.out.starts_with(&format!("  {command} ")),
            "{command}"
        );
    }
    assert!(said.out.contains("Usage: load"), "{}", said.out);
}
