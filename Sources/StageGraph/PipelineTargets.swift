extension Pipeline {
    /// The stages that targets name, for ``restricted(to:)``: a stage by its whole name, or all variants of a matrix
    /// by their family's name. In the order of the targets.
    ///
    /// - Throws: ``InvalidPipeline`` with each target that names no stage.
    /// - Complexity: O(stages + targets).
    public func stageNames(matching targets: [String]) throws(InvalidPipeline) -> [String] {
        var families: [String: [String]] = [:]
        var known: [String] = []
        for name in stages.map(\.name) {
            let family = StageName(name)?.family ?? name
            if families[family] == nil { known.append(family) }
            families[family, default: []].append(name)
            if family != name { families[name] = [name] }
        }
        var names: [String] = []
        var diagnostics: [Diagnostic] = []
        for target in targets {
            if let found = families[target] {
                names += found
            } else {
                let hint = suggestion(for: target, among: known, label: "The stages are")
                diagnostics.append(Diagnostic("the pipeline has no stage \"\(target)\"\(hint)", at: nil))
            }
        }
        guard diagnostics.isEmpty else { throw InvalidPipeline(diagnostics) }
        return names
    }
}
