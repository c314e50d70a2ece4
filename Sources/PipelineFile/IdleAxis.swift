import StageGraph

/// An axis of a matrix whose values stand nowhere in the stage.
///
/// That is right where an input comes from a stage with the same axis, so that equal values pair up. Elsewhere all
/// variants are one and the same stage under several names, which is never what somebody wants.
struct IdleAxis {
    let family: String
    let axis: Located<String>

    /// - Complexity: O(stages · inputs).
    static func diagnostics(_ axes: [IdleAxis], in drafts: [StageDraft]) -> [Diagnostic] {
        guard !axes.isEmpty else { return [] }
        var axesOfFamilies: [String: Set<String>] = [:]
        var variants: [String: StageDraft] = [:]
        for draft in drafts {
            guard let name = StageName(draft.name.value) else { continue }
            axesOfFamilies[name.family, default: []].formUnion(name.coordinates.map(\.axis))
            variants[name.family] = variants[name.family] ?? draft
        }
        return axes.compactMap { idle in
            guard let variant = variants[idle.family], !variant.unread.inputs, !variant.unread.parameters else {
                return nil
            }
            let families = variant.inputs.flatMap(\.references).map { $0.value.prefix { $0 != "." && $0 != "[" } }
            let pairsUp = families.contains { axesOfFamilies[String($0)]?.contains(idle.axis.value) ?? false }
            guard !pairsUp else { return nil }
            return Diagnostic(
                "the matrix axis \"\(idle.axis.value)\" changes nothing in stage \"\(idle.family)\": write "
                    + "${matrix.\(idle.axis.value)} where its values belong", at: idle.axis.location)
        }
    }
}
