import CanonicalJSON
import StageGraph

/// Makes a pipeline draft of a YAML document: the layout of pipeline files, parameters and matrices.
struct DraftReader {
    static let version = 1

    let baseDirectory: String
    let workingDirectory: String
    private var ownDiagnostics: [Diagnostic] = []
    private var substitution = Substitution()
    /// What the file says of tiers; no part of the draft, because no key depends on it.
    private(set) var tiers: [TierDeclaration] = []

    var diagnostics: [Diagnostic] { ownDiagnostics + substitution.diagnostics }
    var variables: Variables { substitution.variables }

    init(baseDirectory: String, workingDirectory: String) {
        self.baseDirectory = baseDirectory
        self.workingDirectory = workingDirectory
    }

    /// The draft, or nil when there is nothing to validate. Mistakes are in ``diagnostics``.
    mutating func draft(_ root: YAMLNode, overrides: [(name: String, value: String)]) -> PipelineDraft? {
        guard case .mapping(let members) = root.content else {
            if !root.isUnreadable {
                report(
                    "a pipeline file is a mapping that begins with \"retort: 1\", found \(root.found)", root.location)
            }
            return nil
        }
        guard checkVersion(members, root.location) else { return nil }
        let section = Section(
            members, known: ["retort", "name", "parameters", "tiers", "stages"],
            required: ["retort", "name", "stages"],
            owner: "the pipeline file", at: root.location)
        ownDiagnostics += section.diagnostics
        readParameters(section["parameters"], overrides)
        var tierReader = TierReader(baseDirectory: baseDirectory)
        tiers = tierReader.tiers(section["tiers"])
        ownDiagnostics += tierReader.diagnostics
        let name = name(section["name"])
        guard let stages = stageNodes(section["stages"]) else { return nil }
        var reader = StageReader(substitution)
        let drafts = stages.flatMap { reader.stages($0.key, $0.value) }
        ownDiagnostics += reader.ownDiagnostics + IdleAxis.diagnostics(reader.idleAxes, in: drafts)
        substitution = reader.substitution
        return PipelineDraft(name: name, baseDirectory: baseDirectory, stages: drafts)
    }

    private mutating func checkVersion(_ members: [(key: Located<String>, value: YAMLNode)], _ root: SourceLocation)
        -> Bool
    {
        guard let node = members.first(where: { $0.key.value == "retort" })?.value, !node.isUnreadable else {
            return true
        }
        if case .scalar(let text, isPlain: true) = node.content, case .integer(let version) = JSON(plainScalar: text) {
            if version == DraftReader.version { return true }
            report(
                "this retort reads pipeline files of version \(DraftReader.version), and this is version \(version)",
                node.location)
            return false
        }
        report(
            "\"retort\" is the version of the pipeline file, \(DraftReader.version), found \(node.found)", node.location
        )
        return true
    }

    private mutating func name(_ node: YAMLNode?) -> String {
        let placeholder = "pipeline"
        guard let node, !node.isUnreadable else { return placeholder }
        guard case .scalar(let text, _) = node.content else {
            report("\"name\" takes a name, found \(node.found)", node.location)
            return placeholder
        }
        guard StageName.isWord(text) else {
            report("the pipeline's name \(StageName.rule(text))", node.location)
            return placeholder
        }
        return text
    }

    private mutating func stageNodes(_ node: YAMLNode?) -> [(key: Located<String>, value: YAMLNode)]? {
        guard let node, !node.isUnreadable else { return nil }
        guard case .mapping(let stages) = node.content else {
            report("\"stages\" takes a mapping from stage names to stages, found \(node.found)", node.location)
            return nil
        }
        guard !stages.isEmpty else {
            report("the pipeline has no stages", node.location)
            return nil
        }
        return stages
    }

    // MARK: Parameters

    private mutating func readParameters(_ node: YAMLNode?, _ overrides: [(name: String, value: String)]) {
        var members: [(key: Located<String>, value: YAMLNode)] = []
        switch node?.content {
        case .mapping(let given): members = given
        case nil, .unreadable, .scalar("", isPlain: true): break
        default: report("\"parameters\" takes a mapping from names to values, found \(node!.found)", node!.location)
        }
        let names = members.map(\.key.value)
        var values: [String: String] = [:]
        for (name, value) in overrides {
            if names.contains(name) {
                values[name] = value
            } else {
                let hint =
                    names.isEmpty
                    ? "; it has none" : suggestion(for: name, among: names, label: "It has")
                report("--set \(name): the pipeline has no parameter \"\(name)\"\(hint)", nil)
            }
        }
        substitution.laterParameters = Set(names)
        for (key, node) in members {
            defer { substitution.laterParameters.remove(key.value) }
            guard StageName.isWord(key.value) else {
                report("the parameter name \(StageName.rule(key.value))", key.location)
                continue
            }
            if let text = values[key.value] {
                substitution.variables.add(key, override(key.value, text))
            } else {
                substitution.variables.add(key, defaultValue(key, node))
            }
        }
    }

    private mutating func override(_ name: String, _ text: String) -> Variable? {
        let shown = text.unicodeScalars.count > 60 ? "\(String(text.unicodeScalars.prefix(60)))…" : text
        let origin = ValueOrigin("--set \(name)=\(shown)", baseDirectory: workingDirectory)
        guard let first = text.utf8.first, "[{\"'".utf8.contains(first) else {
            let value: JSON = text.isEmpty ? .string("") : JSON(plainScalar: text)
            return Variable(value: .substituted(.scalar(value), from: origin), text: text)
        }
        do throws(InvalidPipeline) {
            var yaml = YAMLReader(try SourceText(Array(text.utf8), file: "--set \(name)"))
            let root = yaml.root()
            guard let root, yaml.diagnostics.isEmpty else { throw InvalidPipeline(yaml.diagnostics) }
            let value = root.literal
            return Variable(value: .substituted(value, from: origin), text: value.text)
        } catch {
            for diagnostic in error.diagnostics {
                report("--set \(name)=\(shown): \(diagnostic.message)", nil)
            }
            return nil
        }
    }

    private mutating func defaultValue(_ name: Located<String>, _ node: YAMLNode) -> Variable? {
        var variable: Variable?
        if case .scalar(let text, let isPlain) = node.content {
            if isPlain, JSON(plainScalar: text).isNull {
                report(
                    "parameter \"\(name.value)\" has no value: give one with --set \(name.value)=VALUE", name.location)
                return nil
            }
            variable = substitution.scalar(text, isPlain: isPlain, at: node.location)
        } else {
            let value = substitution.value(node).value
            variable = value.json == nil ? nil : Variable(value: value, text: nil)
        }
        guard let variable else { return nil }
        let origin = ValueOrigin("${\(name.value)} in line \(node.location.line)")
        return Variable(value: .substituted(variable.value, from: origin), text: variable.text)
    }

    private mutating func report(_ message: String, _ location: SourceLocation?) {
        ownDiagnostics.append(Diagnostic(message, at: location))
    }
}

extension YAMLNode {
    /// The value as it stands, with nothing replaced.
    fileprivate var literal: DraftValue {
        switch content {
        case .scalar(let text, let isPlain): .scalar(isPlain ? JSON(plainScalar: text) : .string(text))
        case .sequence(let nodes): .list(nodes.map { Located($0.literal, at: $0.location) })
        case .mapping(let members): .mapping(members.map { ($0.key, Located($0.value.literal, at: $0.value.location)) })
        case .unreadable: .unreadable
        }
    }
}
