//! What a model says of itself.

use serde_json::Value;

use super::Mismatch;

/// The inputs and outputs of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What goes in.
    pub inputs: Vec<Tensor>,
    /// What comes out.
    pub outputs: Vec<Tensor>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// `FP32`, `INT64`, `BYTES` and so on.
    pub datatype: String,
    /// The length of each dimension; -1 is any.
    pub shape: Vec<i64>,
}

impl Metadata {
    /// Reads the reply to a question for metadata.
    ///
    /// # Errors
    /// [`Mismatch::Answered`]: it is none.
    pub fn read(body: &[u8]) -> Result<Self, Mismatch> {
        let wrong =
            |why: &str| Mismatch::Answered(format!("the model's metadata cannot be read: {why}"));
        let value: Value =
            serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
        let tensors = |what: &str| {
            let tensor = |value: &Value| {
                Tensor::read(value).ok_or_else(|| {
                    wrong(&format!("one of its {what} has no name, datatype or shape"))
                })
            };
            let tensors = value.get(what).and_then(Value::as_array).into_iter().flatten();
            tensors.map(tensor).collect::<Result<Vec<_>, _>>()
        };
        if !value.is_object() {
            return Err(wrong("it is no object"));
        }
        Ok(Self { inputs: tensors("inputs")?, outputs: tensors("outputs")? })
    }

    /// The input that takes texts: the one named, else the only one of datatype BYTES.
    pub(super) fn text_input(&self, name: Option<&str>) -> Result<Option<&Tensor>, Mismatch> {
        if let Some(name) = name {
            return self.input(name).map(Some).ok_or_else(|| missing("input", name, &self.inputs));
        }
        let mut texts = self.inputs.iter().filter(|input| input.datatype == "BYTES");
        match (texts.next(), texts.next()) {
            (Some(_), Some(_)) => Err(Mismatch::Asked(format!(
                "the model has several inputs for text: {}; name one as `tensors.input`",
                names(&self.inputs)
            ))),
            (first, _) => Ok(first),
        }
    }

    pub(super) fn input(&self, name: &str) -> Option<&Tensor> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The output that is read: the one named, else the only one.
    pub(super) fn output(&self, name: Option<&str>) -> Result<&Tensor, Mismatch> {
        match (name, self.outputs.as_slice()) {
            (Some(name), outputs) => outputs
                .iter()
                .find(|output| output.name == name)
                .ok_or_else(|| missing("output", name, outputs)),
            (None, [only]) => Ok(only),
            (None, []) => Err(Mismatch::Asked("the model declares no output".to_owned())),
            (None, several) => Err(Mismatch::Asked(format!(
                "the model has several outputs: {}; name one as `tensors.output`",
                names(several)
            ))),
        }
    }
}

impl Tensor {
    fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let shape = value["shape"].as_array()?.iter().map(Value::as_i64);
        let shape = shape.collect::<Option<_>>()?;
        Some(Self { name: text("name")?, datatype: text("datatype")?, shape })
    }

    /// Whether a tensor of `shape` is one of these.
    pub fn fits(&self, shape: &[u64]) -> bool {
        let fits = |(declared, length): (&i64, &u64)| {
            *declared < 0 || u64::try_from(*declared) == Ok(*length)
        };
        self.shape.len() == shape.len() && self.shape.iter().zip(shape).all(fits)
    }
}

fn missing(what: &str, name: &str, all: &[Tensor]) -> Mismatch {
    Mismatch::Asked(format!("the model has no {what} `{name}`; it has {}", names(all)))
}

fn names(tensors: &[Tensor]) -> String {
    let names: Vec<_> = tensors.iter().map(|tensor| format!("`{}`", tensor.name)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
