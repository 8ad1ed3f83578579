//! ONNX tensors as tract's.

use super::{prelude::*, proto};

/// The element types that are read, by ONNX's numbers.
pub(crate) fn datum_type(number: i32) -> TractResult<DatumType> {
    match number {
        1 => Ok(f32::datum_type()),
        2 => Ok(u8::datum_type()),
        3 => Ok(i8::datum_type()),
        6 => Ok(i32::datum_type()),
        7 => Ok(i64::datum_type()),
        9 => Ok(bool::datum_type()),
        11 => Ok(f64::datum_type()),
        other => bail!("element type {other} is not supported"),
    }
}

/// Reads a tensor whose data lies in the file itself.
pub(crate) fn read(proto: &proto::Tensor) -> TractResult<Tensor> {
    ensure!(proto.data_location == 0, "`{}` lies in another file", proto.name);
    let shape: TVec<usize> =
        proto.dims.iter().map(|dim| usize::try_from(*dim)).collect::<Result<_, _>>()?;
    let kind = datum_type(proto.data_type)?;
    let volume = shape.iter().try_fold(1_usize, |volume, dim| volume.checked_mul(*dim));
    let volume = volume.with_context(|| format!("`{}` is too large", proto.name))?;
    if !proto.raw_data.is_empty() || volume == 0 {
        ensure!(
            volume.checked_mul(kind.size_of()) == Some(proto.raw_data.len()),
            "`{}` has {} bytes for {volume} numbers",
            proto.name,
            proto.raw_data.len()
        );
        return raw(kind, &shape, &proto.raw_data);
    }
    let tensor = if !proto.float_data.is_empty() {
        tensor1(&proto.float_data)
    } else if !proto.int64_data.is_empty() {
        tensor1(&proto.int64_data)
    } else {
        tensor1(&proto.int32_data)
    };
    ensure!(tensor.len() == volume, "`{}` has {} numbers, not {volume}", proto.name, tensor.len());
    tensor.cast_to_dt(kind)?.into_owned().into_shape(&shape)
}

/// Little-endian bytes, element by element: the platform's order does not matter, and nothing is
/// transmuted.
fn raw(kind: DatumType, shape: &[usize], bytes: &[u8]) -> TractResult<Tensor> {
    let flat = if kind == f32::datum_type() {
        tensor1(&elements(bytes, f32::from_le_bytes))
    } else if kind == f64::datum_type() {
        tensor1(&elements(bytes, f64::from_le_bytes))
    } else if kind == i64::datum_type() {
        tensor1(&elements(bytes, i64::from_le_bytes))
    } else if kind == i32::datum_type() {
        tensor1(&elements(bytes, i32::from_le_bytes))
    } else if kind == i8::datum_type() {
        tensor1(&elements(bytes, i8::from_le_bytes))
    } else if kind == bool::datum_type() {
        tensor1(&elements(bytes, |[byte]: [u8; 1]| byte != 0))
    } else {
        tensor1(bytes)
    };
    flat.into_shape(shape)
}

fn elements<const SIZE: usize, T>(bytes: &[u8], read: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| read(*chunk)).collect()
}
