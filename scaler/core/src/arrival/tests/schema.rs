//! The JSON Schema of what people write.

use serde_json::Value;

use super::*;

#[test]
fn the_schema_has_every_process_and_refuses_other_fields() {
    let schema = serde_json::to_value(schemars::schema_for!(ScheduleSpec)).unwrap();
    let kinds = schema["oneOf"].as_array().unwrap();
    let names: Vec<&str> = kinds
        .iter()
        .map(|kind| kind["required"][0].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "constant", "poisson", "gamma", "onOff", "sine", "ramp", "steps", "spike", "trace",
            "sum", "sequence"
        ]
    );
    assert!(
        kinds
            .iter()
            .all(|kind| kind["additionalProperties"] == false)
    );
    let sine = &schema["$defs"]["SineSpec"];
    assert_eq!(sine["additionalProperties"], false);
    assert_eq!(
        sine["required"],
        serde_json::json!(["mean", "amplitude", "period", "duration"])
    );
    let column = &schema["$defs"]["Column"]["type"];
    assert_eq!(*column, serde_json::json!(["string", "integer"]));
    assert!(schema["$defs"]["Duration"]["pattern"].is_string());
    assert_ne!(schema["$defs"]["TraceSpec"], Value::Null);
}
