//! docs/keda.md has every key of a trigger's metadata. `EBBTIDE_GENERATE=1` writes its table anew.

use std::fs;
use std::path::Path;

use ebbtide_core::trigger::keys_markdown;

const BEGIN: &str = "<!-- keys: generated from the code -->\n";
const END: &str = "<!-- /keys -->";

#[test]
fn the_guides_table_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/keda.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let fresh = keys_markdown();
    if std::env::var_os("EBBTIDE_GENERATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{fresh}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        table, fresh,
        "EBBTIDE_GENERATE=1 cargo test -p ebbtide guide"
    );
}
