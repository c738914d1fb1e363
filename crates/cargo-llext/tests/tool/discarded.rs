//! `llext discarded`: what a firmware was built without. The witness is readelf.

use crate::support::Place;

const FIRMWARE: &str = "#include <llext/extension.h>
    void _start(void) {}
    int kept(void) { return 1; }
    static int pin, level; int strcpy_;
    EXPORT_SYMBOL(kept);
    EXPORT_GROUP_SYMBOL(DEVICE, pin); EXPORT_GROUP_SYMBOL_NAMED(DEVICE, level, gpio_level);
    EXPORT_GROUP_SYMBOL_NAMED(LIBC, strcpy_, strcpy);
    EXPORT_GROUP_SYMBOL_NAMED(MINE, kept, own);";
const GROUP: &str = "-DCONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC=1";

#[test]
fn what_a_firmware_leaves_out_is_told_by_group() {
    let place = Place::new();
    place.firmware(FIRMWARE, &["-m64", GROUP]);
    let groups = &place.json("discarded firmware.elf")["groups"];
    assert_eq!(groups.to_string(), r#"{"DEVICE":["gpio_level","pin"],"MINE":["own"]}"#);
    let said = place.done("discarded firmware.elf").out;
    assert!(said.contains("3 symbols") && said.contains("gpio_level") && !said.contains("strcpy"), "{said}");
    let held = place.readelf(&["-p", "llext_discarded"], "firmware.elf");
    assert!(["DEVICE", "pin", "own"].iter().all(|word| held.contains(word)), "{held}");
    let sections = place.readelf(&["-SW"], "firmware.elf");
    let line = sections.lines().find(|line| line.contains("llext_discarded")).unwrap();
    assert!(line.contains(" 0000000000000000 "), "it has no address: {line}");
}

#[test]
fn a_firmware_with_all_its_groups_leaves_out_nothing() {
    let place = Place::new();
    place.firmware(
        FIRMWARE,
        &[
            "-m64",
            GROUP,
            "-DCONFIG_LLEXT_EXPORT_SYMBOL_GROUP_DEVICE=1",
            "-DCONFIG_LLEXT_EXPORT_SYMBOL_GROUP_MINE=1",
        ],
    );
    assert_eq!(place.json("discarded firmware.elf")["groups"].to_string(), "{}");
    assert!(place.done("discarded firmware.elf").out.contains("0 symbols"));
}

#[test]
fn what_is_cut_off_is_refused() {
    let place = Place::new();
    let cut =
        "__asm__(\".pushsection llext_discarded,\\\"\\\",%progbits\\n.asciz \\\"DEVICE\\\"\\n.popsection\");";
    place.compile(cut, "cut.o", &["-c"]);
    let said = place.refused("discarded cut.o", "E0732").err;
    assert!(said.contains("entry 0"), "{said}");
}
