/// Runs a chat template.
struct TemplateRenderer {
    /// Variables, the innermost scope last.
    private var scopes: [[String: TemplateValue]]
    private var output = ""
    private var steps = 0
    private var depth = 0

    private enum Flow {
        case on, leaveLoop, nextRound
    }

    static func render(
        _ nodes: [TemplateNode], variables: [String: TemplateValue]
    ) throws(ChatTemplateError) -> String {
        var renderer = TemplateRenderer(scopes: [variables])
        _ = try renderer.run(nodes)
        return renderer.output
    }

    private init(scopes: [[String: TemplateValue]]) { self.scopes = scopes }

    // MARK: Statements

    private mutating func run(_ nodes: [TemplateNode]) throws(ChatTemplateError) -> Flow {
        for node in nodes {
            try step(0)
            switch node {
            case .text(let text): output += text
            case .output(let expression): output += try value(of: expression).text
            case .set(let target, let expression): try assign(try value(of: expression), to: target, expression.line)
            case .capture(let target, let body):
                let outer = output
                output = ""
                scopes.append([:])
                _ = try run(body)
                scopes.removeLast()
                let captured = output
                output = outer
                try assign(.string(captured), to: target, 0)
            case .condition(let branches, let otherwise):
                var chosen = otherwise
                for branch in branches where try value(of: branch.test).isTrue {
                    chosen = branch.body
                    break
                }
                let flow = try run(chosen)
                if flow != .on { return flow }
            case .loop(let names, let sequence, let filter, let body, let otherwise):
                try loop(names, sequence, filter, body, otherwise)
            case .macro(let macro): scopes[scopes.count - 1][macro.name] = .macro(macro)
            case .leaveLoop: return .leaveLoop
            case .nextRound: return .nextRound
            }
        }
        return .on
    }

    private mutating func loop(
        _ names: [String], _ sequence: TemplateExpression, _ filter: TemplateExpression?, _ body: [TemplateNode],
        _ otherwise: [TemplateNode]
    ) throws(ChatTemplateError) {
        let collection = try value(of: sequence)
        guard var elements = collection.elements else {
            throw ChatTemplateError(line: sequence.line, problem: "cannot loop over \(collection.kind)")
        }
        if let filter {
            var kept: [TemplateValue] = []
            for element in elements {
                scopes.append(try bind(element, to: names, sequence.line))
                let isKept = try value(of: filter).isTrue
                scopes.removeLast()
                if isKept { kept.append(element) }
            }
            elements = kept
        }
        if elements.isEmpty {
            scopes.append([:])
            _ = try run(otherwise)
            scopes.removeLast()
        }
        for (index, element) in elements.enumerated() {
            try step(sequence.line)
            var scope = try bind(element, to: names, sequence.line)
            scope["loop"] = .map([
                ("index", .integer(index + 1)), ("index0", .integer(index)), ("first", .bool(index == 0)),
                ("last", .bool(index == elements.count - 1)), ("length", .integer(elements.count)),
                ("revindex", .integer(elements.count - index)), ("revindex0", .integer(elements.count - index - 1)),
                ("previtem", index > 0 ? elements[index - 1] : .undefined("loop.previtem")),
                ("nextitem", index + 1 < elements.count ? elements[index + 1] : .undefined("loop.nextitem")),
            ])
            scopes.append(scope)
            let flow = try run(body)
            scopes.removeLast()
            if flow == .leaveLoop { break }
        }
    }

    private func bind(
        _ value: TemplateValue, to names: [String], _ line: Int
    ) throws(ChatTemplateError) -> [String: TemplateValue] {
        if names.count == 1 { return [names[0]: value] }
        guard let parts = value.elements, parts.count == names.count else {
            throw ChatTemplateError(line: line, problem: "cannot take \(value.kind) apart into \(names.count) names")
        }
        return Dictionary(zip(names, parts)) { $1 }
    }

    private mutating func assign(
        _ value: TemplateValue, to target: TemplateTarget, _ line: Int
    ) throws(ChatTemplateError) {
        switch target {
        case .names(let names): scopes[scopes.count - 1].merge(try bind(value, to: names, line)) { $1 }
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace) = lookUp(name) else {
                throw ChatTemplateError(line: line, problem: "\(name) is no namespace, so its attributes cannot be set")
            }
            namespace.members[attribute] = value
        }
    }

    private func lookUp(_ name: String) -> TemplateValue {
        for scope in scopes.reversed() {
            if let value = scope[name] { return value }
        }
        return TemplateFunctions.names.contains(name) ? .function(name) : .undefined(name)
    }

    private mutating func step(_ line: Int, cost: Int = 1) throws(ChatTemplateError) {
        steps += cost
        guard steps <= TemplateLimits.steps, output.utf8.count <= 1 << 28 else {
            throw ChatTemplateError(line: line, problem: "the template does not come to an end")
        }
    }

    // MARK: Expressions

    private mutating func value(of expression: TemplateExpression) throws(ChatTemplateError) -> TemplateValue {
        let line = expression.line
        try step(line)
        let value = try evaluate(expression)
        try step(line, cost: TemplateLimits.cost(value))
        switch (expression.kind, value) {
        case (.list, .list), (.list, .map), (.map, _), (.call, .list), (.call, .map), (.filter, .list), (.filter, .map):
            // Only these make values that hold others in new ways.
            try step(line, cost: try TemplateLimits.size(value, line).values >> 4)
        default: break
        }
        return value
    }

    private mutating func evaluate(_ expression: TemplateExpression) throws(ChatTemplateError) -> TemplateValue {
        let line = expression.line
        switch expression.kind {
        case .constant(let value): return value
        case .name(let name): return lookUp(name)
        case .list(let elements): return .list(try values(of: elements))
        case .map(let members):
            var result: [(key: String, value: TemplateValue)?] = []
            var places: [[UInt8]: Int] = [:]
            for (key, member) in members {
                let name = try value(of: key).text
                if let place = places.updateValue(result.count, forKey: Array(name.utf8)) { result[place] = nil }
                result.append((name, try value(of: member)))
            }
            return .map(result.compactMap(\.self))
        case .attribute(let base, let name):
            return try TemplateMembers.attribute(name, of: try value(of: base), line)
        case .item(let base, let index):
            return try TemplateMembers.item(try value(of: index), of: try value(of: base), line)
        case .slice(let base, let start, let end, let stride):
            return try TemplateMembers.slice(
                try value(of: base), try bound(start), try bound(end), try bound(stride), line)
        case .call(let callee, let arguments):
            return try call(try value(of: callee), arguments, line)
        case .filter(let operand, let name, let arguments):
            return try TemplateFilters.apply(
                name, to: try value(of: operand), try evaluated(arguments), line)
        case .test(let operand, let name, let arguments):
            return .bool(
                try TemplateFilters.test(name, try value(of: operand), try values(of: arguments.positional), line))
        case .not(let operand): return .bool(!(try value(of: operand).isTrue))
        case .negative(let operand): return try TemplateOperators.negative(try value(of: operand), line)
        case .binary("or", let left, let right):
            let first = try value(of: left)
            return first.isTrue ? first : try value(of: right)
        case .binary("and", let left, let right):
            let first = try value(of: left)
            return first.isTrue ? try value(of: right) : first
        case .binary(let symbol, let left, let right):
            return try TemplateOperators.binary(symbol, try value(of: left), try value(of: right), line)
        case .comparison(let first, let rest):
            var left = try value(of: first)
            for (operation, operand) in rest {
                let right = try value(of: operand)
                guard try TemplateOperators.compare(operation, left, right, line) else { return .bool(false) }
                left = right
            }
            return .bool(true)
        case .choice(let positive, let test, let otherwise):
            if try value(of: test).isTrue { return try value(of: positive) }
            return try otherwise.map { (other) throws(ChatTemplateError) in try value(of: other) }
                ?? .undefined("the value")
        }
    }

    private mutating func values(of expressions: [TemplateExpression]) throws(ChatTemplateError) -> [TemplateValue] {
        var values: [TemplateValue] = []
        for expression in expressions { values.append(try value(of: expression)) }
        return values
    }

    private mutating func evaluated(_ arguments: TemplateArguments) throws(ChatTemplateError) -> TemplateCall {
        var call = TemplateCall(positional: try values(of: arguments.positional))
        for (name, expression) in arguments.named { call.named[name] = try value(of: expression) }
        return call
    }

    private mutating func bound(_ expression: TemplateExpression?) throws(ChatTemplateError) -> Int? {
        guard let expression else { return nil }
        let value = try value(of: expression)
        if case .none = value { return nil }
        guard let bound = value.integerValue else {
            throw ChatTemplateError(line: expression.line, problem: "a slice has \(value.kind) as a bound")
        }
        return bound
    }

    private mutating func call(
        _ callee: TemplateValue, _ arguments: TemplateArguments, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        let call = try evaluated(arguments)
        switch callee {
        case .function(let name): return try TemplateFunctions.call(name, call, line)
        case .method(let receiver, let name): return try TemplateMethods.call(name, on: receiver[0], call, line)
        case .macro(let macro): return try expand(macro, call, line)
        default: throw ChatTemplateError(line: line, problem: "cannot call \(callee.kind)")
        }
    }

    private mutating func expand(
        _ macro: TemplateMacro, _ call: TemplateCall, _ line: Int
    ) throws(ChatTemplateError) -> TemplateValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 50 else { throw ChatTemplateError(line: line, problem: "macros call each other without end") }
        var scope: [String: TemplateValue] = [:]
        for (index, parameter) in macro.parameters.enumerated() {
            if index < call.positional.count {
                scope[parameter.name] = call.positional[index]
            } else if let value = call.named[parameter.name] {
                scope[parameter.name] = value
            } else if let fallback = parameter.fallback {
                scope[parameter.name] = try value(of: fallback)
            } else {
                scope[parameter.name] = .undefined(parameter.name)
            }
        }
        // A macro sees the template's variables, not its caller's.
        let (caller, outer) = (scopes, output)
        scopes = [caller[0], scope]
        output = ""
        _ = try run(macro.body)
        let text = output
        (scopes, output) = (caller, outer)
        return .string(text)
    }
}

/// The arguments of a call, evaluated.
struct TemplateCall {
    var positional: [TemplateValue] = []
    var named: [String: TemplateValue] = [:]

    /// An argument by place or by name.
    func argument(_ index: Int, _ name: String = "") -> TemplateValue? {
        index < positional.count ? positional[index] : named[name]
    }
}
