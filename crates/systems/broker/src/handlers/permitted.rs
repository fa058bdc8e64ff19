//! What a client may do, as the bit sets of KIP-430. Everything: there are no access rules yet.

/// Read, write, create, delete, alter, describe, describe and alter configs.
pub(super) const ON_TOPIC: i32 = bits(&[3, 4, 5, 6, 7, 8, 10, 11]);
/// Create, alter, describe, cluster action, describe and alter configs, idempotent write.
pub(super) const ON_CLUSTER: i32 = bits(&[5, 7, 8, 9, 10, 11, 12]);
/// Read, delete, describe, describe and alter configs.
pub(super) const ON_GROUP: i32 = bits(&[3, 6, 8, 10, 11]);

const fn bits(operations: &[u8]) -> i32 {
    let (mut set, mut index) = (0, 0);
    while index < operations.len() {
        set |= 1 << operations[index];
        index += 1;
    }
    set
}
