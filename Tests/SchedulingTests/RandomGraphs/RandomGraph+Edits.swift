import Foundation

extension RandomGraph {
    /// Changes one thing, the way users do. Returns what, for the message of a failure.
    mutating func edit(_ random: inout SeededGenerator) -> String {
        while true {
            if let what = attempt(random.below(14), &random) { return what }
        }
    }

    private mutating func attempt(_ kind: Int, _ random: inout SeededGenerator) -> String? {
        let data = files.keys.filter { $0.hasPrefix("data") }.sorted()
        switch kind {
        case 0, 1, 2, 3: return editRecord(in: data.randomElement(using: &random)!, kind, &random)
        case 4:
            guard data.count > 1 else { return nil }
            let pair = data.shuffled(using: &random)
            (files[pair[0]], files[pair[1]]) = (files[pair[1]], files[pair[0]])
            return "swapped the contents of \(pair[0]) and \(pair[1])"
        case 5: return "touched the files without a change"
        case 6:
            name += "x"
            return "renamed the pipeline"
        case 7: return renameStage(nodes.randomElement(using: &random)!.name)
        case 8:
            guard let prompt = files.keys.filter({ $0.hasPrefix("prompt") }).sorted().randomElement(using: &random)
            else { return nil }
            files[prompt]! += "More \(random.below(100)).\n"
            return "edited \(prompt)"
        case 9: return swapInputs(&random)
        case 10:
            let old = data.randomElement(using: &random)!
            let new = "data-moved-\(random.below(1000)).txt"
            for index in nodes.indices where nodes[index].file?.path == old { nodes[index].file!.path = new }
            files[new] = files.removeValue(forKey: old)
            return "moved \(old)"
        case 11:
            guard let index = nodes.indices.filter({ nodes[$0].matrix != nil }).randomElement(using: &random)
            else { return nil }
            nodes[index].matrix = [-random.below(4), 1 + random.below(4)]
            return "changed the matrix of \(nodes[index].name)"
        default:
            guard let index = nodes.indices.filter({ !nodes[$0].parameters.isEmpty }).randomElement(using: &random)
            else { return nil }
            let value = 1 + random.below(6)
            nodes[index].parameters[0].value = value
            return "set \(nodes[index].parameters[0].name) of \(nodes[index].name) to \(value)"
        }
    }

    /// Inserts, deletes, changes or renames a record.
    private mutating func editRecord(in file: String, _ kind: Int, _ random: inout SeededGenerator) -> String? {
        var lines = files[file]!.split(separator: "\n").map(String.init)
        let fresh = "m\(random.below(1000)) \(random.below(13) - 6)"
        guard kind == 0 || !lines.isEmpty else { return nil }
        let index = lines.isEmpty ? 0 : random.below(lines.count)
        let old = lines.isEmpty ? "" : lines[index]
        switch kind {
        case 0:
            guard !lines.contains(where: { $0.hasPrefix(fresh.split(separator: " ")[0] + " ") }) else { return nil }
            lines.insert(fresh, at: index)
        case 1: lines.remove(at: index)
        case 2: lines[index] = old.split(separator: " ")[0] + " \(random.below(13) - 6)"
        default: lines[index] = "r" + old
        }
        guard Set(lines.map { $0.split(separator: " ")[0] }).count == lines.count else { return nil }
        files[file] = lines.map { $0 + "\n" }.joined()
        return ["inserted \(fresh) in", "deleted \(old) from", "changed \(old) in", "renamed \(old) in"][kind]
            + " \(file)"
    }

    private mutating func renameStage(_ old: String) -> String {
        let new = old + "x"
        for index in nodes.indices {
            if nodes[index].name == old { nodes[index].name = new }
            for input in nodes[index].inputs.indices {
                nodes[index].inputs[input].references = nodes[index].inputs[input].references.map {
                    $0.hasPrefix("\(old).") ? new + $0.dropFirst(old.count) : $0
                }
            }
        }
        return "renamed \(old)"
    }

    private mutating func swapInputs(_ random: inout SeededGenerator) -> String? {
        let candidates = nodes.indices.filter { index in
            let inputs = nodes[index].inputs
            return nodes[index].isList
                ? inputs[0].references.count > 1 : nodes[index].type == "shift" && inputs.count > 1
        }
        guard let index = candidates.randomElement(using: &random) else { return nil }
        if nodes[index].isList {
            nodes[index].inputs[0].references.swapAt(0, 1)
        } else {
            let first = nodes[index].inputs[0].references
            nodes[index].inputs[0].references = nodes[index].inputs[1].references
            nodes[index].inputs[1].references = first
        }
        return "swapped two inputs of \(nodes[index].name)"
    }
}
