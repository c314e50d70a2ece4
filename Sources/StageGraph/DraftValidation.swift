import CanonicalJSON
import ContentStore

extension PipelineDraft {
    /// The pipeline this draft describes.
    ///
    /// Pure: files and directories that parameters name are not looked at.
    ///
    /// - Parameter library: The stage types that `uses` may name.
    /// - Throws: ``InvalidPipeline`` with every mistake at once: bad and repeated names, unknown stage types,
    ///   parameters and inputs, values of the wrong kind or out of range, what is missing, types that do not fit,
    ///   and cycles. A mistake in one stage brings no follow-up errors in others.
    /// - Complexity: O(stages + inputs + parameters), besides the stages' own initialisers.
    public func validated(against library: StageLibrary) throws(InvalidPipeline) -> Pipeline {
        let (pipeline, diagnostics) = diagnosed(against: library)
        guard let pipeline, diagnostics.isEmpty else { throw InvalidPipeline(diagnostics) }
        return pipeline
    }

    /// The pipeline, or nil and what is wrong with it. Nil without diagnostics when the only mistakes are those of the
    /// draft's unread parts.
    package func diagnosed(against library: StageLibrary) -> (pipeline: Pipeline?, diagnostics: [Diagnostic]) {
        var validation = DraftValidation(draft: self, library: library)
        let pipeline = validation.run()
        return (pipeline, validation.diagnostics)
    }
}

/// One run over a draft. Stages are known by their index in the draft.
struct DraftValidation {
    let draft: PipelineDraft
    /// In the order of the draft; nil where the type is unknown.
    let types: [(any Stage.Type)?]
    let signatures: [StageSignature?]
    let typeNames: [String]
    /// The first stage of each name, under its whole name and under its family's.
    let names: StageIndex
    private(set) var diagnostics: [Diagnostic] = []
    private var reported: Set<Diagnostic> = []
    /// Searching the nearest among thousands of names takes a while, so only the first mistakes get one.
    private var suggestionsLeft = 100

    init(draft: PipelineDraft, library: StageLibrary) {
        self.draft = draft
        let byName = Dictionary(library.types.map { ($0.signature.name, $0) }, uniquingKeysWith: { first, _ in first })
        let signaturesByName = byName.mapValues { $0.signature }
        types = draft.stages.map { byName[$0.uses.value] }
        signatures = draft.stages.map { signaturesByName[$0.uses.value] }
        typeNames = library.names
        names = StageIndex(draft.stages.map(\.name.value))
    }

    mutating func run() -> Pipeline? {
        if !StageName.isWord(draft.name) { report("the pipeline's name \(StageName.rule(draft.name))", at: nil) }
        checkNames()
        var nodes: [StageNode?] = []
        var dependencies: [[Dependency]] = []
        for index in draft.stages.indices {
            let bindings = inputs(of: index)
            dependencies.append(bindings.dependencies)
            nodes.append(node(index, inputs: bindings.bindings))
        }
        let order = orderedComponents(of: dependencies.map { $0.map(\.stage) })
        for component in order { reportCycle(in: component, dependencies) }
        guard diagnostics.isEmpty, !nodes.contains(where: { $0 == nil }) else { return nil }
        return Pipeline(name: draft.name, stages: order.flatMap { $0 }.compactMap { nodes[$0] })
    }

    private mutating func checkNames() {
        var first: [[UInt8]: SourceLocation?] = [:]
        for stage in draft.stages {
            let name = stage.name
            if let earlier = first.updateValue(name.location, forKey: Array(name.value.utf8)) {
                let place = earlier.map { "; the first is in line \($0.line)" } ?? ""
                report("two stages are named \"\(name.value)\"\(place)", at: name.location)
            } else if StageName(name.value) == nil {
                report("the stage name \(StageName.rule(name.value))", at: name.location)
            }
        }
        if draft.stages.isEmpty { report("the pipeline has no stages", at: nil) }
    }

    private mutating func node(_ index: Int, inputs: [InputBinding]?) -> StageNode? {
        let stage = draft.stages[index]
        guard !stage.unread.uses else { return nil }
        guard let type = types[index], let signature = signatures[index] else {
            let hint = suggest(stage.uses.value, among: typeNames, label: "Stage types")
            report("unknown stage type \"\(stage.uses.value)\"\(hint)", at: stage.uses.location)
            return nil
        }
        guard !stage.unread.parameters else { return nil }
        var resolution = ParameterResolution(stageType: signature.name, baseDirectory: draft.baseDirectory)
        let parameters = resolution.parameters(
            stage.parameters, declared: signature.parameters, stageLocation: stage.uses.location ?? stage.name.location)
        for diagnostic in resolution.diagnostics { report(diagnostic.message, at: diagnostic.location) }
        guard let parameters else { return nil }
        do {
            let value = try type.init(parameters)
            guard let inputs else { return nil }
            return StageNode(
                name: stage.name.value, stage: value, parameters: parameters, inputs: inputs,
                location: stage.name.location)
        } catch let error as InvalidParameters {
            report(
                error.message, at: error.parameter.flatMap { stage.location(ofParameter: $0) } ?? stage.uses.location)
        } catch {
            report("stage type \(signature.name) refuses its parameters: \(error)", at: stage.uses.location)
        }
        return nil
    }

    /// Notes a mistake, once: the variants of a matrix share their lines.
    mutating func report(_ message: String, at location: SourceLocation?) {
        let diagnostic = Diagnostic(message, at: location)
        if location == nil || reported.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }

    /// "; did you mean "x"?" and the valid names when they are few.
    mutating func suggest(_ written: String, among names: [String], label: String) -> String {
        guard suggestionsLeft > 0 else { return "" }
        suggestionsLeft -= 1
        return suggestion(for: written, among: names, label: label)
    }
}

extension StageName {
    /// The rule a name breaks, to stand behind "the stage name".
    package static func rule(_ name: String) -> String {
        name.isEmpty ? "is empty" : "\"\(name)\" has characters other than letters, digits, \"-\" and \"_\""
    }
}

extension StageDraft {
    /// The place of a parameter by its path, such as "teacher.path", or of the nearest enclosing one given.
    fileprivate func location(ofParameter path: String) -> SourceLocation? {
        var members = parameters
        var location: SourceLocation?
        for step in path.split(separator: ".") {
            guard let member = members.last(where: { $0.key.value == step }) else { break }
            location = member.value.location ?? member.key.location
            guard case .mapping(let inner) = member.value.value.written else { break }
            members = inner
        }
        return location
    }
}

extension DraftValue {
    /// The value without the notes on where it comes from.
    fileprivate var written: DraftValue {
        if case .substituted(let value, _) = self { value.written } else { self }
    }
}
