/// A statement of a chat template.
indirect enum TemplateNode: Sendable {
    case text(String)
    case output(TemplateExpression)
    case set(TemplateTarget, TemplateExpression)
    /// `{% set name %}…{% endset %}`
    case capture(TemplateTarget, [TemplateNode])
    case condition([(test: TemplateExpression, body: [TemplateNode])], otherwise: [TemplateNode])
    case loop(
        names: [String], TemplateExpression, filter: TemplateExpression?, body: [TemplateNode],
        otherwise: [TemplateNode])
    case macro(TemplateMacro)
    case leaveLoop, nextRound
}

/// What a `set` assigns to.
enum TemplateTarget: Sendable {
    case names([String])
    /// An attribute of a namespace.
    case attribute(of: String, String)
}

struct TemplateMacro: Sendable {
    let name: String
    let parameters: [(name: String, fallback: TemplateExpression?)]
    let body: [TemplateNode]
}

/// An expression with the line it stands on.
struct TemplateExpression: Sendable {
    indirect enum Kind: Sendable {
        case constant(TemplateValue)
        case name(String)
        case list([TemplateExpression])
        case map([(key: TemplateExpression, value: TemplateExpression)])
        case attribute(TemplateExpression, String)
        case item(TemplateExpression, TemplateExpression)
        case slice(TemplateExpression, TemplateExpression?, TemplateExpression?, TemplateExpression?)
        case call(TemplateExpression, TemplateArguments)
        case filter(TemplateExpression, String, TemplateArguments)
        case test(TemplateExpression, String, TemplateArguments)
        case not(TemplateExpression)
        case negative(TemplateExpression)
        case binary(String, TemplateExpression, TemplateExpression)
        case comparison(TemplateExpression, [(operation: String, operand: TemplateExpression)])
        case choice(TemplateExpression, test: TemplateExpression, otherwise: TemplateExpression?)
    }

    let kind: Kind
    let line: Int
}

struct TemplateArguments: Sendable {
    var positional: [TemplateExpression] = []
    var named: [(name: String, value: TemplateExpression)] = []
}
