//! The examples of the guide are descriptions that can be used.

use super::*;

const GUIDE: &str = include_str!("../../../../../docs/loadgen.md");

#[test]
fn the_examples_of_the_guide_can_be_used() {
    let section = GUIDE
        .split("\n## ")
        .find(|section| section.starts_with("Schedules"));
    let blocks = section.unwrap().split("```yaml\n").skip(1);
    let examples: Vec<&str> = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 4);
    let recording: String = (0..101_760).map(|_| "1\n").collect();
    let recording = format!("requests\n{recording}");
    for example in examples {
        assert!(
            with_file(example, &recording).expected_requests() > 0.0,
            "{example}"
        );
    }
}
